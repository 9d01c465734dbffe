"""The Twisted client: the calls of the blocking one as Deferreds, any number of them at once."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import Any, Self

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from zope.interface import implementer

from lars.client.address import agent_address, state_folder
from lars.client.async_core import AsyncCore, Cancel, OnAnswer
from lars.client.call import AsyncCall, Failures
from lars.client.core import CACHE_TTL, DEFAULT_TIMEOUT, Core
from lars.client.errors import AgentUnavailable, NoSuchModule, Overloaded
from lars.client.host import Host
from lars.client.key import Key, key_number
from lars.client.module_cache import ModuleCache
from lars.client.polling import FIRST_WAIT, REGISTER_TIMEOUT, pauses
from lars.client.process import warn_unclosed
from lars.client.queries import no_such_module
from lars.client.retrying import DEFAULT_ATTEMPTS, AsyncAttempt, Retrying
from lars.client.udp_mux import Timer, UdpMux
from lars.client.watch import AsyncWatch, Wakeup
from lars.client.watched_route import WATCH_INTERVAL
from lars.errors import LarsError
from lars.runtime.reactor import IReactor, installed_reactor


class LarsClient:
    """Asks this machine's agent which host to call, and reports how the call went, without blocking the reactor.

    Takes the arguments of `lars.client.LarsClient`, and has the same cache; it runs on `reactor`, by default the
    installed one. A Deferred that is cancelled leaves nothing behind.

    >>> from twisted.internet import task
    >>> from lars.client.twisted import LarsClient
    >>> async def main(reactor):
    ...     async with LarsClient(reactor=reactor) as client:
    ...         async with client.call(1, 1) as host:
    ...             print(f"called {host}")
    >>> run(main)  # task.react(main), in a program
    called 127.0.0.1:900...

    Raises SettingsError if its arguments cannot be used. Every method may raise or fail with AgentUnavailable, and
    InvalidRoute for ids that no module can have.
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
        reactor: IReactor | None = None,
    ) -> None:
        address = agent_address(agent)
        reactor = reactor or installed_reactor()
        folder = state_folder(state_dir, address)
        self._core = Core(address, timeout, cache_ttl if cache else 0.0, folder, first_wait)
        self._async_core = AsyncCore(self._core)
        self._core.begin(self._async_core)
        self._modules = self._core.modules
        self._reactor = reactor
        self._loop = ReactorLoop(reactor)

    @property
    def agent_alive(self) -> bool:
        """Whether the agent answered the last query; True before the first."""
        return self._core.agent_alive

    def get_host(self, modid: int, cmdid: int, *, key: Key | None = None) -> Deferred[Host]:
        """The host to call now; fails with NoSuchModule or Overloaded if there is none.

        >>> async def main(reactor):
        ...     async with LarsClient() as client:
        ...         print(await client.get_host(1, 1))
        >>> run(main)
        127.0.0.1:900...

        Args:
            modid: the business.
            cmdid: its function.
            key: as for the blocking client.
        """
        now = monotonic()
        if key is None:
            try:
                cached = self._modules.get((modid, cmdid))
                if cached is not None and now < cached.quick_until:
                    return succeed(cached.quick().public)
            except TypeError:
                pass  # these are no ids: refused in a moment, with a text
        cached = self._core.cached(modid, cmdid)
        number = key_number(key)
        try:
            host = cached.choose(number, now)
        except Overloaded:
            return fail()
        if host is not None:
            return succeed(host)
        if cached.awaited_until is not None and cached.awaited_until <= now:
            return self._ask_host(cached, number)
        return Deferred.fromCoroutine(self._first_host(cached, number, now))

    async def _first_host(self, cached: ModuleCache, key: int, now: float) -> Host:
        try:
            return await self._ask_host(cached, key)
        except NoSuchModule:
            for pause in self._core.first_pauses(cached, now):
                await deferLater(self._reactor, pause)
                with suppress(NoSuchModule):
                    return await self._ask_host(cached, key)
            raise

    def _ask_host(self, cached: ModuleCache, key: int) -> Deferred[Host]:
        return self._answer(lambda on_answer: self._async_core.host(cached, key, self._loop, on_answer))

    def report(self, host: Host, retcode: int = 0, cost: float | None = None) -> None:
        """Reports how the call to a host went; a plain call, since it waits for nothing.

        >>> async def main(reactor):
        ...     async with LarsClient() as client:
        ...         client.report(await client.get_host(1, 1), retcode=1, cost=0.25)
        >>> run(main)

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

    def get_route(self, modid: int, cmdid: int) -> Deferred[list[Host]]:
        """All hosts of the module; none if the agent knows none.

        >>> async def main(reactor):
        ...     async with LarsClient() as client:
        ...         print(*await client.get_route(1, 1))
        >>> run(main)
        127.0.0.1:9001 127.0.0.1:9002
        """
        return Deferred.fromCoroutine(self._first_route(self._core.cached(modid, cmdid)))

    async def _first_route(self, cached: ModuleCache) -> list[Host]:
        route = await self._route(cached)
        if not route:
            for pause in self._core.first_pauses(cached, monotonic()):
                await deferLater(self._reactor, pause)
                if route := await self._route(cached):
                    break
        return route

    def _route(self, cached: ModuleCache) -> Deferred[list[Host]]:
        return self._answer(lambda on_answer: self._async_core.route(cached, self._loop, on_answer))

    def ready(self, modid: int, cmdid: int, timeout: float = REGISTER_TIMEOUT) -> Deferred[None]:
        """Waits until the agent has the module's hosts, which it pulls when first asked about a module.

        For a start that fails where a module has none, or that waits for longer than `first_wait`. Fails with
        NoSuchModule if the agent has none after `timeout` seconds, AgentUnavailable if it did not answer.

        >>> async def main(reactor):
        ...     async with LarsClient() as client:
        ...         await client.ready(1, 1)
        >>> run(main)
        """
        return Deferred.fromCoroutine(self._ready(modid, cmdid, timeout))

    def register(self, modid: int, cmdid: int, timeout: float = REGISTER_TIMEOUT) -> Deferred[None]:
        """The name of `ready` in the C++ API (`reg_init`)."""
        return self.ready(modid, cmdid, timeout)

    async def _ready(self, modid: int, cmdid: int, timeout: float) -> None:
        cached = self._core.cached(modid, cmdid)
        refusal: LarsError = no_such_module(cached.module)
        for pause in pauses(timeout):
            await deferLater(self._reactor, pause)
            try:
                if await self._route(cached):
                    return
                refusal = no_such_module(cached.module)
            except AgentUnavailable as error:
                if self._core.closed:
                    raise
                refusal = error
        raise refusal

    def watch(self, modid: int, cmdid: int, interval: float = WATCH_INTERVAL) -> AsyncWatch:
        """The module's routes as they change, without end; as that of the blocking client.

        >>> async def main(reactor):
        ...     async with LarsClient() as client:
        ...         async for route in client.watch(1, 1):
        ...             print(*route.healthy)
        ...             break
        >>> run(main)
        127.0.0.1:9001 127.0.0.1:9002
        """
        cached = self._core.cached(modid, cmdid)
        return AsyncWatch(
            self._core,
            cached,
            interval,
            lambda version: self._answer(
                lambda on_answer: self._async_core.state(cached, version, self._loop, on_answer)
            ),
            lambda: self._route(cached),
            self._wakeup,
        )

    def _wakeup(self, seconds: float) -> Wakeup:
        awaited: Deferred[None] = Deferred()
        return Wakeup(seconds, awaited, lambda: awaited.callback(None), self._loop.call_later)

    def call(self, modid: int, cmdid: int, failures: Failures = Exception, *, key: Key | None = None) -> AsyncCall:
        """A host for an async with block, reported with the time taken; as a failure if an exception ends the block.

        An exception that is not of `failures` reports nothing.

        >>> async def main(reactor):
        ...     async with LarsClient() as client:
        ...         async with client.call(1, 1, failures=OSError) as host:
        ...             print(f"called {host}")
        >>> run(main)
        called 127.0.0.1:900...
        """
        return AsyncCall(lambda: self.get_host(modid, cmdid, key=key), self.report, failures)

    def retrying(
        self, modid: int, cmdid: int, attempts: int = DEFAULT_ATTEMPTS, failures: Failures = Exception
    ) -> Iterator[AsyncAttempt]:
        """Attempts at a call: each with another host while there is one, until one ends without a failure.

        An exception of `failures` is reported, and suppressed except in the last attempt; any other ends the attempts
        and reports nothing.

        >>> async def main(reactor):
        ...     async with LarsClient() as client:
        ...         for attempt in client.retrying(1, 1, attempts=3, failures=OSError):
        ...             async with attempt as host:
        ...                 if host.port == 9001:
        ...                     raise ConnectionRefusedError
        ...                 print(f"called {host}")
        >>> run(main)
        called 127.0.0.1:9002
        """
        retrying = Retrying(self.report, attempts, failures)
        return (
            AsyncAttempt(
                lambda: self.get_host(modid, cmdid), lambda: self.get_route(modid, cmdid), retrying, timed, last
            )
            for timed, last in retrying.timed()
        )

    def close(self) -> None:
        """Sends the gathered successes to the agent, and closes the sockets; a plain call, since it waits for nothing.

        Pending calls, and later ones, fail with AgentUnavailable.
        """
        self._core.close()
        self._async_core.close()

    def __repr__(self) -> str:
        return f"<LarsClient of the agent at {self._core.agent}>"

    def __del__(self) -> None:
        core = getattr(self, "_core", None)
        if core is not None and not core.closed:
            self.close()
            warn_unclosed(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self, ask: Callable[[OnAnswer], Cancel]) -> Deferred[Any]:
        result: Deferred[Any] = Deferred(lambda _cancelled: cancel())

        def on_answer(answer: Any, error: Exception | None) -> None:
            if error is None:
                result.callback(answer)
            else:
                result.errback(error)

        cancel = ask(on_answer)
        return result


class ReactorLoop:
    """A reactor, for UdpMux."""

    def __init__(self, reactor: IReactor) -> None:
        self._reactor = reactor
        self._readers: dict[UdpMux, _Reader] = {}

    def call_later(self, seconds: float, function: Callable[[], None]) -> Timer:
        """As EventLoop's."""
        return self._reactor.callLater(seconds, function)

    def add_reader(self, mux: UdpMux) -> None:
        """As EventLoop's."""
        reader = self._readers[mux] = _Reader(mux, self._reactor)
        self._reactor.addReader(reader)

    def remove_reader(self, mux: UdpMux) -> None:
        """As EventLoop's."""
        self._reactor.removeReader(self._readers.pop(mux))


@implementer(IReadDescriptor)
class _Reader:
    """A UdpMux as a reactor reads it: Twisted's own UDP port would take longer than the answer does."""

    def __init__(self, mux: UdpMux, reactor: IReactor) -> None:
        self.fileno = mux.fileno
        self.doRead = mux.read
        self._reactor = reactor

    def logPrefix(self) -> str:
        return "lars client"

    def connectionLost(self, reason: Failure) -> None:
        """Called by the reactor when it ends, and when a datagram was refused, which it takes for a hang-up."""
        if reason.check(ConnectionDone):
            self._reactor.addReader(self)
            self.doRead()
