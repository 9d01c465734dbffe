"""What a client caches of one module: the hosts to choose from, and the successes not yet sent.

Sans-I/O; `now` (seconds, monotonic) is an argument. `now < until` while the agent said, at most `ttl` seconds ago,
that no host of the module is ejected: the client then calls `pick` for a host, and `gather` with the address of a
host whose call succeeded. Otherwise it asks the agent and reports to it. Both are C functions that threads may share.
"""

import random
import threading
from collections import Counter, deque
from collections.abc import Callable

from lars.balancing.rotation import Rotation
from lars.client.host import Host
from lars.client.queries import HostQuery, ModuleEncoding, encode_batches, encode_report, hosts_of
from lars.client.shard_state import ShardState
from lars.route import HostAddress, ModuleId
from lars.wire.lars_pb2 import RouteStateResponse

MAX_GATHERED = 10_000
"""Successes gathered for one module; at this many they are sent before the ttl has passed."""

_MAX_ENCODED_SUCCESSES = 8_192
"""Hosts of one module whose encoded success is kept."""


class ModuleCache:
    """The cache of one module. `ttl` is in seconds; 0 turns it off.

    Hold `lock` while sending the module's results, so that they reach the agent in their order.
    """

    __slots__ = (
        "_ask_state_at",
        "_clean",
        "_encoding",
        "_successes",
        "_ttl",
        "_turn",
        "_version",
        "gather",
        "gathered",
        "lock",
        "module",
        "pick",
        "shard",
        "until",
    )

    def __init__(self, module: ModuleId, shard: ShardState, ttl: float) -> None:
        self.module = module
        self.shard = shard
        self.until = 0.0
        self.pick: Callable[[], Host] = Rotation[Host]().next
        self.gathered: deque[HostAddress] = deque()
        self.gather: Callable[[HostAddress], None] = self.gathered.append
        self.lock = threading.RLock()  # a signal handler may report during a report
        self._encoding = ModuleEncoding(module)
        self._successes: dict[HostAddress, bytes] = {}
        self._ttl = ttl
        self._ask_state_at = 0.0
        self._turn = 0  # changes with each query for the state and each failure: an answer to an older one is stale
        self._version = 0
        self._clean = False  # whether no host of that version is ejected

    def query(self, seq: int, now: float) -> HostQuery:
        """The query for the next host; once in a ttl it asks for the route state as well."""
        if not self._ttl or now < self._ask_state_at or now < self.shard.states_unsupported_until:
            return HostQuery(self._encoding, seq)
        with self.lock:
            self._ask_state_at = now + self._ttl  # concurrent queries need not
            self._turn += 1
            turn = self._turn
        return HostQuery(self._encoding, seq, lambda state: self._learn(state, now, turn), self._version)

    def _learn(self, state: RouteStateResponse | None, asked_at: float, turn: int) -> None:
        with self.lock:
            if state is None:
                self.until = 0.0
                self.shard.states_unsupported(asked_at)
                return
            self.shard.state_dir = state.state_dir or self.shard.state_dir
            if turn != self._turn:
                return
            if state.version != self._version or not state.version:
                self._take(state)
            self.until = asked_at + self._ttl if self._clean else 0.0

    def _take(self, state: RouteStateResponse) -> None:
        hosts = hosts_of(self.module, state.idle)
        self._version = state.version
        self._clean = bool(hosts) and not state.overloaded
        start = random.randrange(len(hosts)) if hosts else 0  # not every process calls the same host first
        self.pick = Rotation(hosts, start).next

    def end(self) -> None:
        """Turns the cache off: nothing is picked or gathered from now on."""
        with self.lock:
            self._ttl = self.until = 0.0

    def batches(self) -> list[bytes]:
        """Removes the gathered successes and returns them as datagrams; hold `lock` until they are sent."""
        gathered = self.gathered
        counts = Counter(gathered.popleft() for _ in range(len(gathered)))
        return encode_batches(self.module, counts) if counts else []

    def results(self, host: Host, retcode: int, cost: float | None) -> list[bytes]:
        """The datagrams of a call's result, after those of the gathered successes; hold `lock` until they are sent.

        After a failure the client asks the agent next: it may have ejected the host.
        """
        if retcode:
            self._turn += 1
            self.until = self._ask_state_at = 0.0
        report = self._success(host) if not retcode and cost is None else encode_report(host, retcode, cost)
        return [*self.batches(), report] if self.gathered else [report]

    def _success(self, host: Host) -> bytes:
        """The report of a success without a cost, encoded once for each host."""
        report = self._successes.get(host.address)
        if report is None:
            if len(self._successes) >= _MAX_ENCODED_SUCCESSES:
                self._successes.clear()
            report = self._successes[host.address] = encode_report(host, 0, None)
        return report
