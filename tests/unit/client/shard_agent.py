"""A shard of the real agent, without a socket, for a client's core: every datagram arrives, in its order, at once."""

from collections import Counter

from lars.balancing.host import HostState
from lars.client.address import AgentAddress
from lars.client.core import Core
from lars.client.host import Host
from lars.client.shard_state import ShardState
from lars.errors import LarsError
from lars.route import HostAddress, ModuleId
from lars.wire.frames import decode_datagram
from lars.wire.lars_pb2 import GetHostRequest, ReportBatch, ReportRequest
from lars.wire.messages import MessageId, decode_message, encode_message
from tests.unit.agent.shard import Shard

MODULE = ModuleId(0, 3)


class ShardAgent:
    """Also a Core's transport. `results` is what was reported, in the order of arrival.

    With `plain` it understands messages 4 to 8 alone.
    """

    def __init__(self, *hosts: HostAddress, plain: bool = False, policy: str = "classic") -> None:
        self.now = 1000.0
        self.plain = plain
        self.shard = Shard(policy=policy)
        request = GetHostRequest(modid=MODULE.modid, cmdid=MODULE.cmdid)
        self.shard.datagram(encode_message(MessageId.GET_HOST_REQUEST, request), self.now)
        self.take_route(*hosts)
        self.results: list[tuple[Counter[HostAddress], HostAddress | None]] = [(Counter(), None)]
        self.received: list[MessageId] = []

    def take_route(self, *hosts: HostAddress) -> None:
        """A push from dns."""
        self.shard.take_route(MODULE, hosts, 1e9, self.now)

    def sweep(self) -> None:
        """The timers run."""
        self.shard.sweep(self.now)

    def forget(self) -> None:
        """Forgets what has been reported and received."""
        self.results = [(Counter(), None)]
        self.received = []

    def note_ejected(self, ejected_at: dict[HostAddress, float]) -> None:
        """Keeps since when each host is ejected."""
        states = self.shard.modules[MODULE].states()
        for address in set(ejected_at) - {each for each, state in states.items() if state is HostState.EJECTED}:
            del ejected_at[address]
        for address, state in states.items():
            if state is HostState.EJECTED:
                ejected_at.setdefault(address, self.now)

    @property
    def overloaded(self) -> int:
        """How many hosts are ejected."""
        return self.shard.modules[MODULE].ejected

    def receive(self, datagram: bytes) -> bytes | None:
        message_id, body = decode_datagram(datagram)
        self.received.append(MessageId(message_id))
        if self.plain and message_id > MessageId.API_GET_ROUTE_RESPONSE:
            return None
        message = decode_message(message_id, body)
        if isinstance(message, ReportBatch):
            for result in message.result:
                self.results[-1][0][HostAddress(result.ip, result.port)] += result.succ
        elif isinstance(message, ReportRequest):
            self._take_report(message)
        return self.shard.datagram(datagram, self.now)

    def _take_report(self, report: ReportRequest) -> None:
        address = HostAddress(report.host.ip, report.host.port)
        if report.retcode:
            self.results.append((Counter(), address))
        else:
            self.results[-1][0][address] += 1

    def send(self, _shard: ShardState, datagram: bytes) -> None:
        self.receive(datagram)

    def forked(self) -> None:
        """There are no sockets."""


class Caller:
    """A client of a ShardAgent: the core, and what a client with sockets does around it."""

    def __init__(self, agent: ShardAgent, cache_ttl: float = 2.0) -> None:
        self.agent = agent
        self.core = Core(AgentAddress("127.0.0.1", 1), 0.2, cache_ttl, "")
        self.core.begin(agent, alone=True)
        self.cached = self.core.cached(*MODULE)
        self.picks = 0
        self._seq = 0

    def get_host(self, key: int = 0) -> Host:
        """As a client does: from its cache, else from the agent."""
        if not key and self.agent.now < self.cached.quick_until:
            self.picks += 1
            return self.cached.quick().public
        chosen = self.cached.choose(key, self.agent.now)
        if chosen is not None:
            self.picks += 1
            return chosen
        self._seq += 1
        query = self.core.query(self.cached, self._seq, key, self.agent.now)
        host = None
        for datagram in query.datagrams:
            answer = self.agent.receive(datagram)
            host = query.answer(answer) if answer is not None else None
        assert host is not None
        return host

    def refused(self) -> bool:
        """Whether get_host is refused."""
        try:
            self.get_host()
        except LarsError:
            return True
        return False

    def report(self, host: Host, retcode: int = 0, cost: float | None = None) -> None:
        """As a client does."""
        if retcode or self.agent.now >= self.cached.quick_until or not self.cached.gather(host.address, cost):
            self.core.report(host, retcode, cost, self.agent.now)
