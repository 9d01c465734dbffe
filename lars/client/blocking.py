"""The blocking client: for threads, without a thread of its own; every call has a timeout."""

import time
from collections.abc import Iterator
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import Self

from lars.client.address import agent_address, state_folder
from lars.client.call import Call, Failures
from lars.client.core import CACHE_TTL, DEFAULT_TIMEOUT, Core
from lars.client.errors import AgentUnavailable, NoSuchModule
from lars.client.host import Host
from lars.client.key import Key, key_number
from lars.client.module_cache import ModuleCache
from lars.client.polling import FIRST_WAIT, REGISTER_TIMEOUT, pauses
from lars.client.process import warn_unclosed
from lars.client.queries import RouteQuery, no_such_module
from lars.client.retrying import DEFAULT_ATTEMPTS, Attempt, Retrying
from lars.client.socket_pool import AgentSockets, SocketPool
from lars.client.watch import Watch
from lars.client.watched_route import WATCH_INTERVAL, StateQuery
from lars.errors import LarsError
from lars.wire.lars_pb2 import RouteStateResponse


class LarsClient:
    """Asks this machine's agent which host to call, and reports to it how the call went.

    Threads may share a client, and it may be kept across a fork. The client chooses by itself, by the policy of the
    module and the agent's word on each host, which it asks for every `cache_ttl` seconds, and gathers successes, so
    that most calls make no system call. It sends these to the agent after that time (with the next call), before any
    failure, on close, before a fork and at exit. While the agent is down, hosts come from the routes that it saved.

    >>> from lars.client import LarsClient
    >>> client = LarsClient()
    >>> with client.call(1, 1) as host:
    ...     answer = f"called {host}"
    >>> client.agent_alive
    True
    >>> client.close()

    Args:
        agent: "IP:BASEPORT" or (ip, base port); by default, the environment's LARS_AGENT, else 127.0.0.1:8888.
        timeout: seconds until a call fails; after half of it an unanswered query is sent once more.
        cache: False to ask the agent, and report to it, each time.
        cache_ttl: seconds for which hosts are chosen by the same route state.
        state_dir: the folder of the agent's saved routes; by default, the environment's LARS_STATE_DIR, else
            /var/lib/lars for an agent on this machine. Empty to use no saved routes.
        first_wait: seconds for which the first questions about a module wait for its hosts, which the agent pulls when
            it is first asked; 0 to be refused at once.

    Raises SettingsError for arguments out of range. Every method may raise AgentUnavailable, and InvalidRoute for ids
    that no module can have.
    """

    def __init__(
        self,
        agent: str | tuple[str, int] | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        *,
        cache: bool = True,
        cache_ttl: float = CACHE_TTL,
        state_dir: str | None = None,
        first_wait: float = FIRST_WAIT,
    ) -> None:
        address = agent_address(agent)
        folder = state_folder(state_dir, address)
        self._core = Core(address, timeout, cache_ttl if cache else 0.0, folder, first_wait)
        self._sockets = AgentSockets(self._core.shards, timeout / 2)
        self._core.begin(self._sockets)
        self._modules = self._core.modules
        self._timeout = timeout

    @property
    def agent_alive(self) -> bool:
        """Whether the agent answered the last query; True before the first."""
        return self._core.agent_alive

    def get_host(self, modid: int, cmdid: int, *, key: Key | None = None) -> Host:
        """The host to call now; raises NoSuchModule or Overloaded if there is none.

        >>> host = client.get_host(1, 1)
        >>> print(host)
        127.0.0.1:900...
        >>> host = client.get_host(1, 1, key="user 17")

        Args:
            modid: the business.
            cmdid: its function.
            key: what the call is about, such as a user: calls with one key go to one host, if the module's policy is
                consistent_hash. A number from 0 to 2**64 - 1, or a str or bytes, which are hashed.
        """
        now = monotonic()
        if key is None:
            try:
                cached = self._modules.get((modid, cmdid))
                if cached is not None and now < cached.quick_until:
                    return cached.quick().public
            except TypeError:
                pass  # these are no ids: refused in a moment, with a text
        cached = self._core.cached(modid, cmdid)
        number = key_number(key)
        host = cached.choose(number, now)
        if host is not None:
            return host
        try:
            return self._ask_host(cached, number)
        except NoSuchModule:
            for pause in self._core.first_pauses(cached, now):
                time.sleep(pause)
                with suppress(NoSuchModule):
                    return self._ask_host(cached, number)
            raise

    def report(self, host: Host, retcode: int = 0, cost: float | None = None) -> None:
        """Reports how the call to a host went; sent once, and not acknowledged.

        >>> client.report(client.get_host(1, 1), retcode=1, cost=0.25)

        Args:
            host: as get_host gave it.
            retcode: 0 for success; any other number is a failure.
            cost: seconds that the call took, so that a host that times out is ejected sooner.
        """
        now = monotonic()
        if not retcode and retcode.__class__ is int:
            try:
                cached = self._modules.get(host.module)
                if cached is not None and now < cached.quick_until and cached.gather(host.address, cost):
                    return
            except (AttributeError, TypeError):
                pass  # these are no host and cost: refused in a moment, with a text
        self._core.report(host, retcode, cost, now)

    def get_route(self, modid: int, cmdid: int) -> list[Host]:
        """All hosts of the module; none if the agent knows none.

        >>> [str(host) for host in client.get_route(1, 1)]
        ['127.0.0.1:9001', '127.0.0.1:9002']
        """
        cached = self._core.cached(modid, cmdid)
        route = self._route(cached)
        if not route:
            for pause in self._core.first_pauses(cached, monotonic()):
                time.sleep(pause)
                if route := self._route(cached):
                    break
        return route

    def _route(self, cached: ModuleCache) -> list[Host]:
        shard, now = cached.shard, monotonic()
        error: OSError | None = None
        route: list[Host] | None = None
        try:
            sock = self._sockets[shard].new()
            try:
                route = sock.ask(RouteQuery(cached.module), now + self._timeout)
            finally:
                sock.close()
        except OSError as refused:
            error = refused
        if route is not None:
            self._core.answered(shard)
            if route:
                self._core.has_hosts(cached)
            return route
        refusal = self._core.unanswered(shard, error, now)
        saved = self._core.saved_route(cached, now)
        if not saved:
            raise refusal
        return saved

    def ready(self, modid: int, cmdid: int, timeout: float = REGISTER_TIMEOUT) -> None:
        """Waits until the agent has the module's hosts, which it pulls when first asked about a module.

        For a start that fails where a module has none, or that waits for longer than `first_wait`. Raises NoSuchModule
        if the agent has none after `timeout` seconds, AgentUnavailable if it did not answer.

        >>> client.ready(1, 1)
        """
        cached = self._core.cached(modid, cmdid)
        refusal: LarsError = no_such_module(cached.module)
        for pause in pauses(timeout):
            time.sleep(pause)
            try:
                if self._route(cached):
                    return
                refusal = no_such_module(cached.module)
            except AgentUnavailable as error:
                if self._core.closed:
                    raise
                refusal = error
        raise refusal

    def register(self, modid: int, cmdid: int, timeout: float = REGISTER_TIMEOUT) -> None:
        """The name of `ready` in the C++ API (`reg_init`)."""
        self.ready(modid, cmdid, timeout)

    def watch(self, modid: int, cmdid: int, interval: float = WATCH_INTERVAL) -> Watch:
        """The module's routes as they change, without end: the hosts, with weights and who is ejected, where known.

        The first is yielded as soon as the agent has hosts, or after `first_wait` without any. While the agent is down
        nothing is yielded but, at first, a saved route.

        >>> for route in client.watch(1, 1):
        ...     print(*route.healthy)
        ...     break
        127.0.0.1:9001 127.0.0.1:9002

        Args:
            modid: the business.
            cmdid: its function.
            interval: seconds between two questions to the agent.
        """
        cached = self._core.cached(modid, cmdid)
        return Watch(
            self._core, cached, interval, lambda version: self._state(cached, version), lambda: self._route(cached)
        )

    def _state(self, cached: ModuleCache, version: int) -> RouteStateResponse | None:
        try:
            sock = self._sockets[cached.shard].new()
            try:
                return sock.ask(StateQuery(cached.module, sock.next_seq(), version), monotonic() + self._timeout)
            finally:
                sock.close()
        except OSError:
            return None

    def call(self, modid: int, cmdid: int, failures: Failures = Exception, *, key: Key | None = None) -> Call:
        """A host for a with block, reported with the time taken; as a failure if an exception ends the block.

        An exception that is not of `failures` reports nothing; nor does one that is no Exception (KeyboardInterrupt,
        SystemExit).

        >>> with client.call(1, 1, failures=OSError) as host:
        ...     answer = f"called {host}"
        """
        return Call(lambda: self.get_host(modid, cmdid, key=key), self.report, failures)

    def retrying(
        self, modid: int, cmdid: int, attempts: int = DEFAULT_ATTEMPTS, failures: Failures = Exception
    ) -> Iterator[Attempt]:
        """Attempts at a call: each with another host while there is one, until one ends without a failure.

        An exception of `failures` is reported, and suppressed except in the last attempt; any other ends the attempts
        and reports nothing.

        >>> for attempt in client.retrying(1, 1, attempts=3, failures=OSError):
        ...     with attempt as host:
        ...         if host.port == 9001:
        ...             raise ConnectionRefusedError
        ...         print(f"called {host}")
        called 127.0.0.1:9002
        """
        retrying = Retrying(self.report, attempts, failures)
        return (
            Attempt(lambda: self.get_host(modid, cmdid), lambda: self.get_route(modid, cmdid), retrying, timed, last)
            for timed, last in retrying.timed()
        )

    def close(self) -> None:
        """Sends the gathered successes to the agent, and closes the sockets.

        Queries of other threads end first; later calls raise AgentUnavailable.
        """
        self._core.close()
        self._sockets.close()

    def __repr__(self) -> str:
        return f"<LarsClient of the agent at {self._core.agent}>"

    def __del__(self) -> None:
        core = getattr(self, "_core", None)
        if core is not None and not core.closed:
            self.close()
            warn_unclosed(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _ask_host(self, cached: ModuleCache, key: int) -> Host:
        shard, now = cached.shard, monotonic()
        pool = self._sockets[shard]
        if not shard.alive:
            saved = self._core.saved_host(cached, now)
            if saved is not None and not self._answers_again(cached, pool, now):
                return saved
        error: OSError | None = None
        deadline = now + self._timeout
        try:
            sock = pool.acquire(deadline)
            if sock is not None:
                try:
                    host = sock.ask(self._core.query(cached, sock.next_seq(), key, now), deadline)
                finally:
                    pool.release(sock)
                if host is not None:
                    self._core.answered(shard)
                    self._core.has_hosts(cached)
                    return host
        except OSError as refused:
            error = refused
        except LarsError:
            self._core.answered(shard)
            raise
        refusal = self._core.unanswered(shard, error, now)
        saved = self._core.saved_host(cached, now)
        if saved is None:
            raise refusal
        return saved

    def _answers_again(self, cached: ModuleCache, pool: SocketPool, now: float) -> bool:
        """Whether a shard that was down answered the last probe; sends the next probe when it is due."""
        try:
            if pool.probe_answered():
                return True
            if cached.shard.due(now):
                pool.probe(self._core.query(cached, 0, 0, now))
        except OSError:
            return False
        return False
