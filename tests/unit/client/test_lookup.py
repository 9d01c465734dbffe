"""A client's agent that is given by a name: its sockets follow the name."""

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from lars.client.address import AgentAddress, NamedAddress, parse_agent
from lars.client.lookup import PAUSE, Lookup, lookup_of
from lars.client.shard_state import ShardState
from lars.client.udp_socket import connected_socket
from lars.errors import SettingsError


class LookupTests(SynchronousTestCase):
    def setUp(self) -> None:
        agent = NamedAddress.of(AgentAddress("127.0.0.1", 8888), "agent:8888")
        self.shards = [ShardState(agent.of_shard(n), n) for n in range(3)]
        self.ip: str | None = "127.0.0.2"
        self.started: list[Callable[[], None]] = []
        self.lookup = Lookup("agent:8888", self.shards, self.resolve, self.started.append)

    def resolve(self, name: str) -> AgentAddress:
        self.assertEqual(name, "agent:8888")
        if self.ip is None:
            raise SettingsError("no name server")
        return AgentAddress(self.ip, 8888)

    def peers(self) -> list[tuple[str, int]]:
        return [shard.peer for shard in self.shards]

    def test_shards_and_their_open_sockets_move(self) -> None:
        sock, closed = connected_socket(self.shards[1].peer), connected_socket(self.shards[1].peer)
        self.addCleanup(sock.close)
        closed.close()
        self.lookup.unanswered(100.0)
        self.started.pop()()
        self.assertEqual(self.peers(), [("127.0.0.2", 8888), ("127.0.0.2", 8889), ("127.0.0.2", 8890)])
        self.assertEqual(sock.getpeername(), ("127.0.0.2", 8889))
        self.ip = "127.0.0.3"
        self.lookup.unanswered(200.0)
        self.started.pop()()
        self.assertEqual(sock.getpeername(), ("127.0.0.3", 8889))

    def test_many_failures_are_one_lookup_in_five_seconds(self) -> None:
        for now in (100.0, 100.0, 100.0 + PAUSE - 0.1, 100.0 + PAUSE):
            self.lookup.unanswered(now)
        self.assertEqual(len(self.started), 2)

    def test_name_without_an_address_changes_nothing(self) -> None:
        self.ip = None
        self.lookup.unanswered(100.0)
        self.started.pop()()
        self.assertEqual(self.peers()[0], ("127.0.0.1", 8888))

    def test_only_names_are_looked_up_again(self) -> None:
        self.assertIsNone(lookup_of(parse_agent("127.0.0.1:8888"), self.shards))
        self.assertIsNotNone(lookup_of(parse_agent("localhost:8888"), self.shards))
