"""What a client knows of one module: the hosts that it may choose from by itself, and the successes to be told.

Sans-I/O; `now` (seconds, monotonic) is an argument. While the agent said, at most `ttl` seconds ago, that no host of
the module is overloaded, `now < until`: the client calls `pick` for a host and `gather` with the address of one that
answered well. Otherwise it asks and tells the agent. Both are C functions that many threads may call at once.
"""

import random
import threading
from collections import Counter, deque
from collections.abc import Callable

from lars.balancing.rotation import Rotation
from lars.client.host import Host
from lars.client.questions import HostQuestion, ModuleEncoding, encode_batches, encode_report, hosts_of
from lars.client.shard import AgentShard
from lars.route import HostAddress, ModuleId
from lars.wire.lars_pb2 import RouteStateResponse

GATHERED_MOST = 10_000
"""Successes gathered for a module, at most; then they are told even before their time."""

_KNOWN_SUCCESSES = 8_192
"""Hosts whose encoded success is remembered for a module, at most."""


class KnownModule:
    """One module as a client knows it. `ttl` is in seconds; 0: the client never chooses by itself.

    `lock` is held by whoever sends results of the module, so that they reach the agent in their order.
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

    def __init__(self, module: ModuleId, shard: AgentShard, ttl: float) -> None:
        self.module = module
        self.shard = shard
        self.until = 0.0
        self.pick: Callable[[], Host] = Rotation[Host]().next
        self.gathered: deque[HostAddress] = deque()
        self.gather: Callable[[HostAddress], None] = self.gathered.append
        self.lock = threading.RLock()  # a signal's handler may report in the midst of a report
        self._encoding = ModuleEncoding(module)
        self._successes: dict[HostAddress, bytes] = {}
        self._ttl = ttl
        self._ask_state_at = 0.0
        self._turn = 0  # changes with each question for the state and each failure: an older state is none
        self._version = 0
        self._clean = False  # whether no host of that version is overloaded

    def question(self, seq: int, now: float) -> HostQuestion:
        """Which host to call; once in a ttl also what the client may choose from by itself."""
        if not self._ttl or now < self._ask_state_at or now < self.shard.plain_until:
            return HostQuestion(self._encoding, seq)
        with self.lock:
            self._ask_state_at = now + self._ttl  # others that ask meanwhile need not
            self._turn += 1
            turn = self._turn
        return HostQuestion(self._encoding, seq, lambda state: self._learn(state, now, turn), self._version)

    def _learn(self, state: RouteStateResponse | None, asked_at: float, turn: int) -> None:
        with self.lock:
            if state is None:
                self.until = 0.0
                self.shard.knows_no_state(asked_at)
                return
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
        """From now on nothing is chosen or gathered here."""
        with self.lock:
            self._ttl = self.until = 0.0

    def batches(self) -> list[bytes]:
        """Takes the gathered successes, as the datagrams that tell them; `lock` is held until they are sent."""
        gathered = self.gathered
        counts = Counter(gathered.popleft() for _ in range(len(gathered)))
        return encode_batches(self.module, counts) if counts else []

    def results(self, host: Host, retcode: int, cost: float | None) -> list[bytes]:
        """The datagrams that tell how a call went, after those gathered before it; `lock` is held until they are sent.

        After a failure the agent is asked next: it may have set the host aside.
        """
        if retcode:
            self._turn += 1
            self.until = self._ask_state_at = 0.0
        report = self._success(host) if not retcode and cost is None else encode_report(host, retcode, cost)
        return [*self.batches(), report] if self.gathered else [report]

    def _success(self, host: Host) -> bytes:
        """The report of a success without its time, encoded once a host."""
        report = self._successes.get(host.address)
        if report is None:
            if len(self._successes) >= _KNOWN_SUCCESSES:
                self._successes.clear()
            report = self._successes[host.address] = encode_report(host, 0, None)
        return report
