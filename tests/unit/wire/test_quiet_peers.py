"""Which connection gives way: the longest silent one, and never one that has spoken lately."""

from twisted.trial.unittest import SynchronousTestCase

from lars.wire.quiet_peers import LOOK_INTERVAL, QUIET, QuietPeers


class Connection:
    """A connection that was heard at a time."""

    def __init__(self, heard_at: float) -> None:
        self.heard_at = heard_at


class QuietPeersTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.peers: QuietPeers[Connection] = QuietPeers()
        self.old, self.older, self.new = Connection(10), Connection(5), Connection(50)
        self.connections = [self.old, self.new, self.older]

    def longest(self, now: float) -> Connection | None:
        return self.peers.longest(now, self.connections, lambda _connection: True)

    def test_the_longest_silent_gives_way_first(self) -> None:
        now = 10 + QUIET
        self.assertIs(self.longest(now), self.older)
        self.assertIs(self.longest(now), self.old)
        self.assertIsNone(self.longest(now))

    def test_one_that_spoke_meanwhile_keeps_its_place(self) -> None:
        now = 10 + QUIET
        self.assertIs(self.longest(now), self.older)
        self.old.heard_at = now
        self.assertIsNone(self.longest(now))

    def test_one_that_has_gone_meanwhile_is_passed_over(self) -> None:
        now = 10 + QUIET
        self.assertIs(self.longest(now), self.older)
        self.connections.remove(self.old)
        self.assertIsNone(self.longest(now))

    def test_one_that_may_not_go_keeps_its_place(self) -> None:
        self.assertIsNone(self.peers.longest(1e6, self.connections, lambda _connection: False))

    def test_all_are_looked_at_once_an_interval(self) -> None:
        looks = []

        def may_go(connection: Connection) -> bool:
            looks.append(connection)
            return False

        for _ in range(1000):
            self.peers.longest(1e6, self.connections, may_go)
        self.assertEqual(len(looks), 3)
        self.peers.longest(1e6 + LOOK_INTERVAL, self.connections, may_go)
        self.assertEqual(len(looks), 6)
