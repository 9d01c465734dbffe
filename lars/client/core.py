"""What every client does between a call and its datagrams; sans-I/O (docs/design/client.md, one core).

A Core caches each module, sends results in their order, and falls back on the agent's saved routes while the agent
does not answer. The client owns the sockets: it sends the queries, and calls `answered` or `unanswered`. Datagrams
without an answer go through the Transport. Threads may share a Core; `now` is in seconds, monotonic.
"""

import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from math import inf, isfinite
from operator import index
from typing import Protocol

from lars.client import process
from lars.client.address import DEFAULT_STATE_DIR, SHARDS, AgentAddress
from lars.client.errors import AgentUnavailable, InvalidArgument
from lars.client.host import Host
from lars.client.lookup import lookup_of
from lars.client.module_cache import ModuleCache, rng
from lars.client.polling import FIRST_WAIT, pauses
from lars.client.queries import HostQuery, notice_of
from lars.client.saved import SavedFile
from lars.client.shard_state import ShardState
from lars.errors import InvalidRoute, SettingsError
from lars.route import HostAddress, module_id, shard_of
from lars.wire.lars_pb2 import ReportBatch, RouteStateResponse

DEFAULT_TIMEOUT = 0.2
"""Default: seconds until a call fails."""

CACHE_TTL = 1.0
"""Default: seconds for which a client chooses hosts from its cache before it asks the agent again."""

_log = logging.getLogger("lars.client")

_FALLS_BACK = "; until it answers, hosts are chosen from its saved routes, if those can be read"


class Transport(Protocol):
    """The sockets of a client, as its Core uses them."""

    def send(self, shard: ShardState, datagram: bytes) -> None:
        """Sends a datagram that gets no answer; raises OSError."""

    def filenos(self) -> Iterable[int]:
        """The open sockets of `send`, at which the agent's notices arrive."""

    def notices(self) -> Iterable[tuple[ShardState, bytes]]:
        """The notices that have arrived; does not wait."""

    def forked(self) -> None:
        """Called in the child of a fork: the sockets are the parent's."""


class Core:
    """The state of one client, shared by all its callers.

    Args:
        agent: the agent's address.
        timeout: seconds that a query may take.
        cache_ttl: seconds; 0 turns the cache off.
        state_dir: the folder of the agent's saved routes; empty for no fallback.
        first_wait: seconds for which the first questions about a module wait for its hosts.

    Raises SettingsError if `timeout`, `cache_ttl` or `first_wait` is out of range.
    """

    def __init__(
        self, agent: AgentAddress, timeout: float, cache_ttl: float, state_dir: str, first_wait: float = FIRST_WAIT
    ) -> None:
        if not 0 < timeout < 86_400:
            raise SettingsError(f"timeout {timeout} is out of range: give seconds above 0 and below a day")
        if not 0 <= cache_ttl < 86_400:
            raise SettingsError(f"cache_ttl {cache_ttl} is out of range: give seconds from 0 to below a day")
        if not 0 <= first_wait < 86_400:
            raise SettingsError(f"first_wait {first_wait} is out of range: give seconds from 0 to below a day")
        self.agent = agent
        self.timeout = timeout
        self.shards = [ShardState(agent.of_shard(n), n) for n in range(SHARDS)]
        self._lookup = lookup_of(agent, self.shards)
        self.modules: dict[tuple[int, int], ModuleCache] = {}
        self.closed = False
        self._cache_ttl = cache_ttl
        self.first_wait = first_wait
        self._saved = [SavedFile(state_dir, n) for n in range(SHARDS)] if state_dir else []
        self._follows_agent = state_dir == DEFAULT_STATE_DIR
        self._next_flush = 0.0

    def begin(self, transport: Transport, *, threaded: bool = True) -> None:
        """Sets the transport; from now on gathered successes are also sent in pauses, at exit and before a fork.

        Without `threaded` this process has no part in it: whoever simulates another one calls `flush_overdue` and
        `receive` by its own clock.
        """
        self._transport = transport
        self._threaded = threaded
        if threaded:
            process.add(self)

    @property
    def agent_alive(self) -> bool:
        """Whether every shard answered the last query to it; True before the first."""
        return all(shard.alive for shard in self.shards)

    def cached(self, modid: int, cmdid: int) -> ModuleCache:
        """The cache of a module; raises InvalidRoute for ids that no module can have."""
        try:
            cached = self.modules.get((modid, cmdid))
        except TypeError:  # one of them has no hash
            cached = None
        if cached is None:
            if not isinstance(modid, int) or not isinstance(cmdid, int):
                raise InvalidRoute(f"module ({modid!r}, {cmdid!r}) does not exist: modid and cmdid are whole numbers")
            module = module_id(modid, cmdid)
            fresh = ModuleCache(module, self.shards[shard_of(module, SHARDS)], self._cache_ttl)
            cached = self.modules.setdefault(module, fresh)
        return cached

    def query(self, cached: ModuleCache, seq: int, key: int, now: float) -> HostQuery:
        """The query for the next host, for a call about `key`, 0 for none; sends overdue successes first."""
        if now >= self._next_flush:
            self.flush_overdue(now)
        if self._cache_ttl and self._threaded:
            process.awake()
        if cached.flush_due(now):
            self._flush(cached, now)
        return cached.query(seq, key, now)

    def report(self, host: Host, retcode: int, cost: float | None, now: float) -> None:
        """Takes the result of a call, and sends what is to be sent at once.

        Raises AgentUnavailable, and InvalidArgument for arguments of another kind.
        """
        if not isinstance(host, Host):
            raise InvalidArgument(f"{host!r} cannot be reported: give the host that get_host returned")
        retcode, cost = _checked(retcode, cost)
        cached = self.modules.get(host.module) or self.cached(*host.module)
        if self.closed:
            raise self.unavailable(cached.shard, None)
        with cached.lock:
            for datagram in cached.results(host, retcode, cost, now):
                try:
                    self._transport.send(cached.shard, datagram)
                except OSError as error:
                    if cached.shard.alive:
                        raise self.unavailable(cached.shard, error) from None

    def flush(self) -> None:
        """Sends all gathered successes now; those to an unreachable agent are lost."""
        for cached in tuple(self.modules.values()):
            self._flush(cached)

    def flush_overdue(self, now: float) -> bool:
        """Sends the successes of all modules whose ttl has passed; sets when the next ttl will pass.

        Returns whether one will: until then successes may be gathered without a question to the agent.
        """
        next_flush = now + self._cache_ttl
        gathers = False
        for cached in tuple(self.modules.values()):
            if cached.until > now:
                gathers = True
                next_flush = min(next_flush, cached.until)
            elif cached.gathered:
                self._flush(cached, now)
        self._next_flush = next_flush
        return gathers

    def _flush(self, cached: ModuleCache, now: float = -inf) -> None:
        with cached.lock:
            self._send(cached.shard, cached.batches(now))

    def _send(self, shard: ShardState, datagrams: Iterable[bytes]) -> None:
        for datagram in datagrams:
            try:
                self._transport.send(shard, datagram)
            except OSError:
                continue  # the agent is down: the next query will notice

    def filenos(self) -> Iterable[int]:
        """The sockets at which notices arrive."""
        return self._transport.filenos()

    def receive(self, now: float) -> None:
        """Takes the notices that have arrived (docs/design/client.md, what other processes know)."""
        for shard, datagram in self._transport.notices():
            notice = notice_of(datagram)
            cached = self.modules.get((notice.modid, notice.cmdid)) if notice is not None else None
            if notice is None or cached is None or cached.shard is not shard:
                continue
            if isinstance(notice, RouteStateResponse):
                cached.changed(notice, now)
            elif isinstance(notice, ReportBatch):
                cached.silent_elsewhere([HostAddress(host.ip, host.port) for host in notice.silent], now)
            elif notice.retcode:
                failed = HostAddress(notice.host.ip, notice.host.port)
                with cached.lock:
                    self._send(shard, cached.failed_elsewhere(failed, notice.cost_ms / 1000, now))

    def first_pauses(self, cached: ModuleCache, now: float) -> Iterator[float]:
        """Seconds to wait before each further question about a module that has no hosts yet; none if it had some.

        The agent pulls a module's hosts when it is first asked about it.
        """
        if cached.awaited_until is None:
            cached.awaited_until = now + self.first_wait
        return islice(pauses(max(0.0, cached.awaited_until - now)), 1, None)

    def has_hosts(self, cached: ModuleCache) -> None:
        """The agent has named a host of the module."""
        cached.awaited_until = 0.0

    def answered(self, shard: ShardState) -> None:
        """The shard answered a query."""
        if not shard.alive:
            shard.alive = True
            _log.info("the agent at %s answers again", shard.peer)

    def unanswered(self, shard: ShardState, error: OSError | None, now: float) -> AgentUnavailable:
        """The shard did not answer a query in time, or, with an `error`, the query could not be sent.

        Returns the error to raise. Logs it once, until the shard answers again.
        """
        refusal = self.unavailable(shard, error)
        if self._lookup is not None:
            self._lookup.unanswered(now)
        if shard.alive and not self.closed:
            shard.alive = False
            shard.due(now)
            _log.warning("%s%s", refusal, _FALLS_BACK if self._saved else "")
        return refusal

    def saved_host(self, cached: ModuleCache, now: float) -> Host | None:
        """The next host from the saved routes, if the shard is down and they have the module."""
        return self._saved_file(cached.shard).pick(cached.module, now) if self._falls_back(cached.shard) else None

    def saved_route(self, cached: ModuleCache, now: float) -> list[Host]:
        """All hosts from the saved routes, if the shard is down and they have the module; else none."""
        return self._saved_file(cached.shard).route(cached.module, now) if self._falls_back(cached.shard) else []

    def _saved_file(self, shard: ShardState) -> SavedFile:
        """The shard's file, in the folder that its agent has named unless the program or the environment names one."""
        file = self._saved[shard.number]
        if self._follows_agent and shard.state_dir:
            file.move(shard.state_dir)
        return file

    def _falls_back(self, shard: ShardState) -> bool:
        return not shard.alive and bool(self._saved) and not self.closed

    def unavailable(self, shard: ShardState, error: OSError | None) -> AgentUnavailable:
        """The error of a call without an answer or, with an `error` of the system, one that could not be sent."""
        if self.closed:
            return AgentUnavailable("this LarsClient is closed: make a new one")
        advice = "start lars-agent there, or set its address (LARS_AGENT, --agent or LarsClient(agent=...))"
        if error is None:
            return AgentUnavailable(f"no answer from the agent at {shard.peer} within {self.timeout:g} s: {advice}")
        return AgentUnavailable(f"the agent at {shard.peer} cannot be reached ({error.strerror or error}): {advice}")

    def close(self) -> None:
        """Sends the gathered successes, and turns the cache off."""
        for cached in tuple(self.modules.values()):
            cached.end()
            self._flush(cached)
        self.closed = True

    def forked(self) -> None:
        """In the child of a fork: drops what is the parent's (gathered successes, locks, turns, sockets)."""
        rng.seed()  # or every child of one parent would begin with the same host
        self.modules.clear()
        self._next_flush = 0.0
        for shard in self.shards:
            shard.retry_at = 0.0
        for saved in self._saved:
            saved.forked()
        self._transport.forked()


def _checked(retcode: int, cost: float | None) -> tuple[int, float | None]:
    """The arguments of a report, whatever kinds of numbers they are; raises InvalidArgument if they are none."""
    try:
        if isinstance(retcode, bool):
            raise TypeError
        number = index(retcode)
    except TypeError:
        raise InvalidArgument(
            f"retcode {retcode!r} cannot be used: give 0 for a success, another number for a failure"
        ) from None
    if cost is None:
        return number, None
    try:
        seconds = cost + 0.0
        if isfinite(seconds):
            return number, float(max(0.0, seconds))
    except TypeError:
        pass
    raise InvalidArgument(f"cost {cost!r} cannot be used: give the seconds that the call took")
