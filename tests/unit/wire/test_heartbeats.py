"""Heartbeats: who sends one when, and which silence ends a connection."""

from twisted.trial.unittest import SynchronousTestCase

from lars.wire.heartbeats import Due, LinkPulse, PeerPulses


class LinkPulseTests(SynchronousTestCase):
    """The side that sends heartbeats, every 10 s."""

    def ticks(self, pulse: LinkPulse, first: int, last: int) -> dict[int, Due]:
        """What was due at which second, where anything was."""
        due = {second: pulse.tick(second) for second in range(first, last + 1)}
        return {second: what for second, what in due.items() if what is not Due.NOTHING}

    def test_peer_that_has_not_shown_that_it_knows_them_is_sent_none_and_never_left(self) -> None:
        self.assertEqual(self.ticks(LinkPulse(10, 0), 1, 1000), {})

    def test_peer_that_knows_them_is_sent_one_every_interval(self) -> None:
        pulse = LinkPulse(10, 0)
        pulse.knows = True
        due = {}
        for second in range(1, 61):
            pulse.heard(second)
            due[second] = pulse.tick(second)
        self.assertEqual([s for s, what in due.items() if what is Due.HEARTBEAT], [10, 20, 30, 40, 50, 60])
        self.assertNotIn(Due.LEAVE, due.values())

    def test_peer_that_falls_silent_is_left_after_25_seconds(self) -> None:
        pulse = LinkPulse(10, 0)
        pulse.knows = True
        self.ticks(pulse, 1, 19)
        pulse.heard(19)
        due = self.ticks(pulse, 20, 44)
        self.assertEqual([second for second, what in due.items() if what is Due.LEAVE], [44])

    def test_peer_that_must_answer_is_left_though_it_has_shown_nothing(self) -> None:
        self.assertIs(self.ticks(LinkPulse(10, 0, expected=True), 1, 25)[25], Due.LEAVE)

    def test_own_standstill_is_not_the_peers_silence(self) -> None:
        pulse = LinkPulse(10, 0)
        pulse.knows = True
        self.assertIs(pulse.tick(3600), Due.HEARTBEAT)


class PeerPulsesTests(SynchronousTestCase):
    """The side that answers them."""

    def setUp(self) -> None:
        self.pulses: PeerPulses[str] = PeerPulses()

    def silent(self, *seconds: int, reads: bool = True) -> list[str]:
        return [name for second in seconds for name in self.pulses.silent(second, lambda _name: reads)]

    def test_peer_whose_heartbeats_end_is_silent_after_two_and_a_half_intervals(self) -> None:
        self.pulses.heartbeat("a", 10, 0)
        self.assertEqual(self.silent(*range(25)), [])
        self.assertEqual((self.silent(25), len(self.pulses)), (["a"], 0))

    def test_peer_that_sends_something_else_is_not_silent(self) -> None:
        self.pulses.heartbeat("a", 10, 0)
        self.pulses.heard("a")
        self.assertEqual(self.silent(*range(50)), [])
        self.assertEqual(self.silent(50), ["a"])

    def test_peer_that_is_not_read_from_is_not_silent(self) -> None:
        self.pulses.heartbeat("a", 10, 0)
        self.assertEqual(self.silent(*range(100), reads=False), [])

    def test_peer_that_never_sent_one_is_never_silent(self) -> None:
        self.pulses.heard("a")
        self.assertEqual(self.silent(*range(1000)), [])

    def test_own_standstill_is_not_the_peers_silence(self) -> None:
        self.pulses.heartbeat("a", 10, 0)
        self.assertEqual(self.silent(1, 3600, 3601), [])
        self.assertEqual(self.silent(*range(3602, 3630)), ["a"])

    def test_interval_of_nothing_is_not_believed(self) -> None:
        self.pulses.heartbeat("a", 0, 0)
        self.assertEqual(self.silent(0), [])
