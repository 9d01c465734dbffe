"""What a client caches of one module: the hosts to choose from, its own evidence, and the successes not yet sent.

Sans-I/O; `now` (seconds, monotonic) is an argument. A client takes the shortest way that it can:

- while `now < quick_until`, `quick` gives the host and `gather` takes the success of a call;
- otherwise `choose` gives the host, unless the agent must be asked: once in a ttl, and where it alone can choose;
- `results` takes what `gather` does not, and gives the datagrams to send.

Threads may share `quick` and `gather`; the other methods hold `lock`.
"""

import random
import threading
from collections.abc import Callable, Iterable
from math import inf
from typing import Any

from lars.balancing.local_choice import LocalChoice, LocalHost
from lars.client.host import Host
from lars.client.queries import HostQuery, ModuleEncoding, encode_batches, encode_report, host_of, overloaded
from lars.client.shard_state import ShardState
from lars.route import HostAddress, ModuleId
from lars.wire.lars_pb2 import HostInfo, RouteStateResponse

HASHED = "consistent_hash"
"""The policy that knows keys."""

MAX_HASHED_HOSTS = 100
"""Hosts of a module with HASHED that is cached: the table of a larger one takes long to make."""

DEFAULT_WEIGHT = 100
"""Of each host, where the agent names none: all have the same."""

WATCH_TTLS = 3
"""For so many times the ttl the agent sends notices after it was last asked for them; it is asked once in a ttl."""

_MAX_ENCODED_SUCCESSES = 8_192
"""Hosts of one module whose encoded success is kept."""

rng = random.Random()
"""For the draws of all caches: another one than the process's own, which programs seed alike."""


class CachedHost(LocalHost):
    """A host as the choice sees it, and as callers do (`public`)."""

    __slots__ = ("public",)

    def __init__(self, public: Host) -> None:
        super().__init__(public.address)
        self.public = public


class ModuleCache:
    """The cache of one module. `ttl` is in seconds; 0 turns it off.

    Hold `lock` while sending the module's results, so that they reach the agent in their order.

    Attributes:
        until: when the agent must be asked again.
        quick, quick_until, gather: as those of LocalChoice.
        awaited_until: until when questions wait for the first hosts; None before the first question that was answered
            without one, in the past once there has been one.
    """

    __slots__ = (
        "_ask_state_at",
        "_cached",
        "_choice",
        "_encoding",
        "_policy",
        "_successes",
        "_ttl",
        "_turn",
        "_version",
        "_watch_at",
        "awaited_until",
        "gather",
        "lock",
        "module",
        "quick",
        "quick_until",
        "shard",
        "until",
    )

    def __init__(self, module: ModuleId, shard: ShardState, ttl: float) -> None:
        self.module = module
        self.shard = shard
        self.lock = threading.RLock()  # a signal handler may report during a report
        self.awaited_until: float | None = None
        self.until = self.quick_until = 0.0
        self.quick: Callable[[], CachedHost] = _not_cached
        self.gather: Callable[[HostAddress, float | None], bool] = _not_cached
        self._choice: LocalChoice[CachedHost] | None = None
        self._policy = ""  # of the agent; empty: an older agent, or one that is asked for each host
        self._cached = False  # whether hosts of that version may be chosen here
        self._encoding = ModuleEncoding(module)
        self._successes: dict[HostAddress, bytes] = {}
        self._ttl = ttl
        self._ask_state_at = 0.0
        self._turn = 0  # changes with each query for the state: an answer to an older one is stale
        self._version = 0
        self._watch_at = 0.0

    @property
    def gathered(self) -> int:
        """Successes that are not sent yet."""
        return self._choice.gathered if self._choice is not None else 0

    # -- choosing

    def choose(self, key: int, now: float) -> Host | None:
        """The host for a call about `key`, 0 for none; None if the agent must be asked. Raises Overloaded."""
        with self.lock:
            if now >= self.until or self._choice is None or (key and not self._policy):
                return None
            return self._chosen(self._choice, key, now)

    def _chosen(self, choice: LocalChoice[CachedHost], key: int, now: float) -> Host:
        try:
            chosen = choice.pick(key, now)
        except BaseException:  # a signal's handler raised it, at any place in the rules
            self._spoiled()
            raise
        self._look_out(choice)
        if chosen is None:
            raise overloaded(self.module)
        return chosen.public

    def _look_out(self, choice: LocalChoice[CachedHost]) -> None:
        """Sets when the short way ends."""
        self.quick, self.gather = choice.quick, choice.gather
        self.quick_until = min(self.until, choice.quick_until)

    def _spoiled(self) -> None:
        """Starts anew with the next state: the rules may have been left half-way."""
        self._choice = None
        self._version = 0
        self.until = self.quick_until = self._ask_state_at = 0.0

    def query(self, seq: int, key: int, now: float) -> HostQuery:
        """The query for the next host; once in a ttl it asks for the route state as well."""
        if not self._ttl:
            return HostQuery(self._encoding, seq, key)
        if now < self._ask_state_at or now < self.shard.states_unsupported_until:
            return HostQuery(self._encoding, seq, key, lambda _state, host: self._adopted(host, key, now))
        with self.lock:
            self._ask_state_at = now + self._ttl  # concurrent queries need not
            self._turn += 1
            turn = self._turn

        def answered(state: RouteStateResponse | None, host: Host | None) -> Host | None:
            with self.lock:
                self._learn(state, now, turn)
                return self._adopted(host, key, now)

        return HostQuery(self._encoding, seq, key, answered, self._version)

    def _adopted(self, host: Host | None, key: int, now: float) -> Host | None:
        """The host to call where the agent has chosen `host`: this one, unless this process has ejected it."""
        with self.lock:
            choice = self._choice
            known = choice.hosts.get(host.address) if choice is not None and host is not None else None
            if choice is None or known is None or choice.adopt(known):
                return host
            return self._chosen(choice, key, now)

    def _learn(self, state: RouteStateResponse | None, asked_at: float, turn: int) -> None:
        if state is None:
            self.until = self.quick_until = 0.0
            self.shard.states_unsupported(asked_at)
            return
        self.shard.state_dir = state.state_dir or self.shard.state_dir
        if turn != self._turn:
            return
        if state.version != self._version or not state.version:
            self._take(state, asked_at)
        choice = self._choice
        self.until = asked_at + self._ttl if self._cached and choice is not None else 0.0
        if choice is not None:
            choice.look(asked_at)
            choice.slow_elsewhere({HostAddress(slow.ip, slow.port): slow.penalty for slow in state.slow})
            self._look_out(choice)

    def _take(self, state: RouteStateResponse, now: float) -> None:
        """Replaces policy and hosts by those of a state."""
        self._version = state.version
        self._cached, policy = bool(state.idle), state.policy
        if state.ask or (state.overloaded and not policy) or (policy == HASHED and len(state.idle) > MAX_HASHED_HOSTS):
            self._cached, policy = False, ""  # for the agent to choose; an older one probes with every call
        before = choice = self._choice
        if choice is None or policy != self._policy:
            self._policy = policy
            choice = self._choice = LocalChoice(policy, rng)
            if before is not None:
                choice.put_back(before.take_gathered())
        choice.rebuild(self._hosts(before or choice, state), now)

    def _hosts(self, choice: LocalChoice[CachedHost], state: RouteStateResponse) -> list[CachedHost]:
        weights = list(state.idle_weight)
        if len(weights) != len(state.idle) or not any(weights):
            weights = [DEFAULT_WEIGHT] * len(state.idle)
        hosts = []
        for info, weight in zip(state.idle, weights, strict=True):
            host = self._host(choice, info)
            if host is not None and host.ejected:  # restored: it joins, with a slow start
                host = CachedHost(host.public)
            if host is not None:
                host.weight = weight
                hosts.append(host)
        for info in state.overloaded:
            host = self._host(choice, info)
            if host is not None:
                host.weight, host.ejected = 0, True
                hosts.append(host)
        return hosts

    def _host(self, choice: LocalChoice[CachedHost], info: HostInfo) -> CachedHost | None:
        known = choice.hosts.get(HostAddress(info.ip, info.port))
        if known is not None:
            return known
        host = host_of(self.module, info)
        return CachedHost(host) if host is not None else None

    def end(self) -> None:
        """Turns the cache off: nothing is chosen or gathered from now on."""
        with self.lock:
            self._ttl = self.until = self.quick_until = 0.0

    # -- results

    def flush_due(self, now: float) -> bool:
        """Whether there are batches to send, with the next question to the agent at the latest."""
        choice = self._choice
        return choice is not None and bool(choice.gathered or choice.silent or (now >= self._watch_at and self._ttl))

    def batches(self, now: float = -inf) -> list[bytes]:
        """Removes the gathered successes and returns them as datagrams; hold `lock` until they are sent.

        Once in a ttl there is one at least, by which the process goes on watching the module; not without `now`.
        """
        choice = self._choice
        if choice is None:
            return []
        watch = WATCH_TTLS * self._ttl if now >= self._watch_at else 0.0
        if watch:
            self._watch_at = now + self._ttl
        return encode_batches(self.module, choice.take_gathered(), watch, choice.take_silent())

    # -- notices of the agent

    def failed_elsewhere(self, address: HostAddress, cost: float, now: float) -> list[bytes]:
        """Takes the failure of a call that another process has made, of `cost` seconds, 0 where unknown.

        Returns the datagrams to send now; hold `lock` until they are sent. They report what was gathered, so that the
        agent does not take it for success after that failure.
        """
        choice = self._choice
        host = choice.hosts.get(address) if choice is not None else None
        if choice is None or host is None:
            return []
        choice.failed_elsewhere(host, cost, now)
        self._look_out(choice)
        return encode_batches(self.module, choice.take_gathered(), before_failure=True)

    def silent_elsewhere(self, addresses: Iterable[HostAddress], now: float) -> None:
        """Takes the hosts that have not answered another process for much longer than calls take."""
        with self.lock:
            choice = self._choice
            if choice is None:
                return
            for address in addresses:
                host = choice.hosts.get(address)
                if host is not None:
                    choice.silent_elsewhere(host, now)
            self._look_out(choice)

    def changed(self, state: RouteStateResponse, now: float) -> None:
        """Takes a state that the agent has sent by itself: a host was ejected."""
        with self.lock:
            if not self._ttl or self._choice is None or state.version in (0, self._version):
                return
            self._take(state, now)
            if now >= self.until:  # a query under way may still bring the state of before
                self.until = now + self._ttl
            self._turn += 1
            if not self._cached:
                self.until = self.quick_until = 0.0
            else:
                self._look_out(self._choice)

    def results(self, host: Host, retcode: int, cost: float | None, now: float) -> list[bytes]:
        """Takes a call's result. Returns the datagrams to send now; hold `lock` until they are sent.

        A failure goes out at once, and so does the result of a call whose host the agent chose, both after the
        successes that were gathered before. Other successes are gathered. After a failure, half of all successes of
        the module are sent at any time.
        """
        choice = self._choice
        known = choice.hosts.get(host.address) if choice is not None else None
        if choice is not None and known is not None:
            try:
                alone = choice.report(known, retcode != 0, cost or 0.0, now)
            except BaseException:
                self._spoiled()
                raise
            self._look_out(choice)
            if not alone:
                later = now < self.until and choice.gathered < choice.limit and not choice.silent
                return [] if later else self.batches(now)
        if retcode and (choice is None or choice.agent_ejects):  # it may have ejected the host
            self._turn += 1
            self.until = self.quick_until = self._ask_state_at = 0.0
        report = self._success(host) if not retcode and cost is None else encode_report(host, retcode, cost)
        return [*self.batches(now), report]

    def _success(self, host: Host) -> bytes:
        """The report of a success without a cost, encoded once for each host."""
        report = self._successes.get(host.address)
        if report is None:
            if len(self._successes) >= _MAX_ENCODED_SUCCESSES:
                self._successes.clear()
            report = self._successes[host.address] = encode_report(host, 0, None)
        return report


def _not_cached(*_arguments: Any) -> Any:
    """Never called: quick_until is in the past."""
    raise AssertionError("nothing is cached")
