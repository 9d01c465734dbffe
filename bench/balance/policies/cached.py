"""Clients with the cache in the simulator: a machine is some processes, each with its own cache, and their agent."""

import random
from collections import deque
from collections.abc import Sequence

from bench.balance.policies.project import FIRST_ADDRESS, PORT
from bench.balance.policy import REFUSED_BY_POLICY, NewPolicy, SimulatedPolicy
from lars.agent.datagrams import DatagramCodec
from lars.agent.directory import Directory
from lars.agent.watchers import Address
from lars.balancing.host import HostState
from lars.balancing.policies import new_policy
from lars.client import module_cache
from lars.client.address import AgentAddress
from lars.client.core import CACHE_TTL, Core
from lars.client.errors import Overloaded
from lars.client.host import Host
from lars.client.shard_state import ShardState
from lars.route import HostAddress, ModuleId
from lars.wire.lars_pb2 import HostInfo, ReportRequest
from lars.wire.messages import MessageId, encode_message

PROCESSES = 4
"""Processes of a machine; each call is made by one of them at random."""

MODULE = ModuleId(1, 1)

FORGED = 2
"""Failures of the first host that a forger reports for each call."""

_FORGED_REPORT = encode_message(
    MessageId.REPORT_REQUEST,
    ReportRequest(modid=MODULE.modid, cmdid=MODULE.cmdid, host=HostInfo(ip=FIRST_ADDRESS, port=PORT), retcode=1),
)

NOTICE = 0.001
"""Seconds from a report to the notice that its agent sends of it to another process."""


class Machine(SimulatedPolicy):
    """One agent, and the processes that it serves."""

    def __init__(self, policy: str, hosts: Sequence[int], rng: random.Random, now: float) -> None:
        super().__init__(hosts, rng, now)
        module_cache.rng.seed(rng.random())  # all machines draw from it; the same seed makes the same run
        self._directory = Directory(lambda _module: new_policy(policy, rng), lambda _module: None)
        self._codec = DatagramCodec(self._directory)
        self._directory.find(*MODULE, now)
        self._processes = [Process(self._codec, number + 1) for number in range(PROCESSES)]
        self._codec.send = self._notify
        self._under_way: dict[int, deque[Process]] = {}
        self._ejected: set[int] = set()
        self._now = now
        self.update(hosts, now)

    def choose(self, key: int, now: float) -> int:
        self._now = now
        process = self._processes[int(self.rng.random() * PROCESSES)]
        host = process.choose(key, now)
        if host is None:
            return REFUSED_BY_POLICY
        number = host.address.ip - FIRST_ADDRESS
        self._under_way.setdefault(number, deque()).append(process)
        return number

    def report(self, host: int, failed: bool, cost: float, now: float) -> None:
        self._now = now
        process = self._under_way[host].popleft()
        process.report(Host(MODULE, HostAddress(FIRST_ADDRESS + host, PORT)), failed, cost, now)
        self._note_changes(now)

    def sweep(self, now: float) -> None:
        self._now = now
        self._directory.sweep(self._directory.modules.values(), now)
        for process in self._processes:
            process.round(now)
        self._note_changes(now)

    def update(self, hosts: Sequence[int], now: float) -> None:
        super().update(hosts, now)
        addresses = [HostAddress(FIRST_ADDRESS + host, PORT) for host in hosts]
        self._directory.take_route(MODULE, addresses, now + 1e9, True, now)

    def _notify(self, datagram: bytes, address: Address) -> None:
        """Sends a notice to the process at the address."""
        self._processes[address[1] - 1].notify(datagram, self._now)

    def _note_changes(self, now: float) -> None:
        module = self._directory.modules[MODULE]
        if module.ejected != len(self._ejected):
            states = module.states().items()
            ejected = {address.ip - FIRST_ADDRESS for address, state in states if state is HostState.EJECTED}
            self.changes += [(now, host, host in ejected) for host in sorted(ejected ^ self._ejected)]
            self._ejected = ejected


class Process:
    """A business process: a client's core, whose datagrams reach the agent at once. `source` is its UDP port."""

    def __init__(self, codec: DatagramCodec, source: int) -> None:
        self._codec = codec
        self._source = source
        self._core = Core(AgentAddress("127.0.0.1", 1), 0.2, CACHE_TTL, "")
        self._core.begin(self, threaded=False)
        self._cached = self._core.cached(*MODULE)
        self._seq = 0
        self._now = 0.0
        self._sent: list[tuple[float, bytes]] = []  # notices on their way, and when they arrive
        self._arrived: list[tuple[ShardState, bytes]] = []

    def _go_on(self, now: float) -> None:
        """Takes the notices that have arrived, as the client's thread does."""
        self._now = now
        if self._sent and self._sent[0][0] <= now:
            self._arrived = [(self._cached.shard, datagram) for at, datagram in self._sent if at <= now]
            self._sent = [(at, datagram) for at, datagram in self._sent if at > now]
            self._core.receive(now)

    def round(self, now: float) -> None:
        """A round of the client's thread, which has one a second."""
        self._go_on(now)
        self._core.flush_overdue(now)

    def choose(self, key: int, now: float) -> Host | None:
        """The host for a call; None where it is refused."""
        self._go_on(now)
        try:
            if now < self._cached.quick_until:
                return self._cached.quick().public
            return self._cached.choose(key, now) or self._asked(key, now)
        except Overloaded:
            return None

    def _asked(self, key: int, now: float) -> Host | None:
        self._seq += 1
        query = self._core.query(self._cached, self._seq, key, now)
        host = None
        for datagram in query.datagrams:
            answer = self._codec.answer(datagram, now, self._source)
            host = query.answer(answer) if answer is not None else None
        return host

    def report(self, host: Host, failed: bool, cost: float, now: float) -> None:
        """Reports a call as a client does."""
        self._go_on(now)
        seconds = cost or None
        if failed or now >= self._cached.quick_until or not self._cached.gather(host.address, seconds):
            self._core.report(host, int(failed), seconds, now)

    def notify(self, datagram: bytes, now: float) -> None:
        """The agent sends a notice."""
        self._sent.append((now + NOTICE, datagram))

    # As a Core's transport.

    def send(self, _shard: ShardState, datagram: bytes) -> None:
        """Sends a datagram to the agent."""
        self._codec.answer(datagram, self._now, self._source, ("", self._source))

    def filenos(self) -> list[int]:
        """There are no sockets."""
        return []

    def notices(self) -> list[tuple[ShardState, bytes]]:
        """The notices that have arrived."""
        arrived, self._arrived = self._arrived, []
        return arrived

    def forked(self) -> None:
        """There are no sockets."""


class ForgedMachine(Machine):
    """A machine on which one more process reports a failed call to the first host for each call that is made."""

    def choose(self, key: int, now: float) -> int:
        number = super().choose(key, now)
        for _ in range(FORGED):
            self._codec.answer(_FORGED_REPORT, now, PROCESSES + 1, ("", PROCESSES + 1))
        self._note_changes(now)
        return number

    def _notify(self, datagram: bytes, address: Address) -> None:
        if address[1] <= PROCESSES:
            super()._notify(datagram, address)


def cached_policy(name: str) -> NewPolicy:
    """Makes machines whose agent has the policy of a name."""
    return lambda hosts, rng, now: Machine(name, hosts, rng, now)


def forged_policy(name: str) -> NewPolicy:
    """Makes machines as `cached_policy` does, each with a process that forges failures."""
    return lambda hosts, rng, now: ForgedMachine(name, hosts, rng, now)
