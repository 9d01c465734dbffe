"""The asyncio client: the calls of the blocking one as coroutines, any number of them at once."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import Any, Self

from lars.client.address import agent_address, state_folder
from lars.client.async_core import AsyncCore, Cancel, OnAnswer
from lars.client.call import AsyncCall, Failures
from lars.client.core import CACHE_TTL, DEFAULT_TIMEOUT, Core
from lars.client.errors import AgentUnavailable, NoSuchModule
from lars.client.host import Host
from lars.client.key import Key, key_number
from lars.client.module_cache import ModuleCache
from lars.client.polling import FIRST_WAIT, REGISTER_TIMEOUT, pauses
from lars.client.process import warn_unclosed
from lars.client.queries import no_such_module
from lars.client.retrying import DEFAULT_ATTEMPTS, AsyncAttempt, Retrying
from lars.client.udp_mux import UdpMux
from lars.client.watch import AsyncWatch, Wakeup
from lars.client.watched_route import WATCH_INTERVAL
from lars.errors import LarsError


class LarsClient:
    """Asks this machine's agent which host to call, and reports how the call went, without blocking the event loop.

    Takes the arguments of `lars.client.LarsClient`, and has the same cache. May be made before the loop runs; not
    thread-safe. A call that is cancelled leaves nothing behind, and reports nothing about its host.

    >>> import asyncio
    >>> from lars.client.asyncio import LarsClient
    >>> async def main():
    ...     async with LarsClient() as client:
    ...         async with client.call(1, 1) as host:
    ...             print(f"called {host}")
    >>> asyncio.run(main())
    called 127.0.0.1:900...

    Raises SettingsError if its arguments cannot be used. Every method may raise AgentUnavailable, and InvalidRoute for
    ids that no module can have.
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
        self._async_core = AsyncCore(self._core)
        self._core.begin(self._async_core)
        self._modules = self._core.modules
        self._loop: _Loop | None = None

    @property
    def agent_alive(self) -> bool:
        """Whether the agent answered the last query; True before the first."""
        return self._core.agent_alive

    async def get_host(self, modid: int, cmdid: int, *, key: Key | None = None) -> Host:
        """The host to call now; raises NoSuchModule or Overloaded if there is none.

        >>> async def main():
        ...     async with LarsClient() as client:
        ...         print(await client.get_host(1, 1))
        >>> asyncio.run(main())
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
                    return cached.quick().public
            except TypeError:
                pass  # these are no ids: refused in a moment, with a text
        cached = self._core.cached(modid, cmdid)
        number = key_number(key)
        host = cached.choose(number, now)
        if host is not None:
            return host
        try:
            return await self._ask_host(cached, number)
        except NoSuchModule:
            for pause in self._core.first_pauses(cached, now):
                await asyncio.sleep(pause)
                with suppress(NoSuchModule):
                    return await self._ask_host(cached, number)
            raise

    async def _ask_host(self, cached: ModuleCache, key: int) -> Host:
        host: Host = await self._answer(lambda loop, on_answer: self._async_core.host(cached, key, loop, on_answer))
        return host

    def report(self, host: Host, retcode: int = 0, cost: float | None = None) -> None:
        """Reports how the call to a host went; a plain call, since it waits for nothing.

        >>> async def main():
        ...     async with LarsClient() as client:
        ...         client.report(await client.get_host(1, 1), retcode=1, cost=0.25)
        >>> asyncio.run(main())

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

    async def get_route(self, modid: int, cmdid: int) -> list[Host]:
        """All hosts of the module; none if the agent knows none.

        >>> async def main():
        ...     async with LarsClient() as client:
        ...         print(*await client.get_route(1, 1))
        >>> asyncio.run(main())
        127.0.0.1:9001 127.0.0.1:9002
        """
        cached = self._core.cached(modid, cmdid)
        route = await self._route(cached)
        if not route:
            for pause in self._core.first_pauses(cached, monotonic()):
                await asyncio.sleep(pause)
                if route := await self._route(cached):
                    break
        return route

    async def _route(self, cached: ModuleCache) -> list[Host]:
        route: list[Host] = await self._answer(lambda loop, on_answer: self._async_core.route(cached, loop, on_answer))
        return route

    async def ready(self, modid: int, cmdid: int, timeout: float = REGISTER_TIMEOUT) -> None:
        """Waits until the agent has the module's hosts, which it pulls when first asked about a module.

        For a start that fails where a module has none, or that waits for longer than `first_wait`. Raises NoSuchModule
        if the agent has none after `timeout` seconds, AgentUnavailable if it did not answer.

        >>> async def main():
        ...     async with LarsClient() as client:
        ...         await client.ready(1, 1)
        >>> asyncio.run(main())
        """
        cached = self._core.cached(modid, cmdid)
        refusal: LarsError = no_such_module(cached.module)
        for pause in pauses(timeout):
            await asyncio.sleep(pause)
            try:
                if await self._route(cached):
                    return
                refusal = no_such_module(cached.module)
            except AgentUnavailable as error:
                if self._core.closed:
                    raise
                refusal = error
        raise refusal

    async def register(self, modid: int, cmdid: int, timeout: float = REGISTER_TIMEOUT) -> None:
        """The name of `ready` in the C++ API (`reg_init`)."""
        await self.ready(modid, cmdid, timeout)

    def watch(self, modid: int, cmdid: int, interval: float = WATCH_INTERVAL) -> AsyncWatch:
        """The module's routes as they change, without end; as that of the blocking client.

        >>> async def main():
        ...     async with LarsClient() as client:
        ...         async for route in client.watch(1, 1):
        ...             print(*route.healthy)
        ...             break
        >>> asyncio.run(main())
        127.0.0.1:9001 127.0.0.1:9002
        """
        cached = self._core.cached(modid, cmdid)
        return AsyncWatch(
            self._core,
            cached,
            interval,
            lambda version: self._answer(
                lambda loop, on_answer: self._async_core.state(cached, version, loop, on_answer)
            ),
            lambda: self._route(cached),
            self._wakeup,
        )

    def _wakeup(self, seconds: float) -> Wakeup:
        running = asyncio.get_running_loop()
        awaited: asyncio.Future[None] = running.create_future()
        return Wakeup(seconds, awaited, lambda: awaited.set_result(None), running.call_later)

    def call(self, modid: int, cmdid: int, failures: Failures = Exception, *, key: Key | None = None) -> AsyncCall:
        """A host for an async with block, reported with the time taken; as a failure if an exception ends the block.

        An exception that is not of `failures` reports nothing; nor does one that is no Exception, such as
        CancelledError: put a timeout of the call inside the block.

        >>> async def main():
        ...     async with LarsClient() as client:
        ...         async with client.call(1, 1, failures=OSError) as host, asyncio.timeout(2):
        ...             print(f"called {host}")
        >>> asyncio.run(main())
        called 127.0.0.1:900...
        """
        return AsyncCall(lambda: self.get_host(modid, cmdid, key=key), self.report, failures)

    def retrying(
        self, modid: int, cmdid: int, attempts: int = DEFAULT_ATTEMPTS, failures: Failures = Exception
    ) -> Iterator[AsyncAttempt]:
        """Attempts at a call: each with another host while there is one, until one ends without a failure.

        An exception of `failures` is reported, and suppressed except in the last attempt; any other ends the attempts
        and reports nothing.

        >>> async def main():
        ...     async with LarsClient() as client:
        ...         for attempt in client.retrying(1, 1, attempts=3, failures=OSError):
        ...             async with attempt as host:
        ...                 if host.port == 9001:
        ...                     raise ConnectionRefusedError
        ...                 print(f"called {host}")
        >>> asyncio.run(main())
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

        Pending calls, and later ones, raise AgentUnavailable.
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

    async def _answer(self, ask: Callable[["_Loop", OnAnswer], Cancel]) -> Any:
        running = asyncio.get_running_loop()
        if self._loop is None or self._loop.running is not running:
            self._loop = _Loop(running)
        future: asyncio.Future[Any] = running.create_future()

        def on_answer(answer: Any, error: Exception | None) -> None:
            if future.done():  # cancelled in this turn of the loop
                return
            if error is None:
                future.set_result(answer)
            else:
                future.set_exception(error)

        cancel = ask(self._loop, on_answer)
        try:
            return await future
        finally:
            if future.cancelled():
                cancel()


class _Loop:
    """An event loop of asyncio, for UdpMux."""

    def __init__(self, running: asyncio.AbstractEventLoop) -> None:
        self.running = running
        self.call_later = running.call_later

    def add_reader(self, mux: UdpMux) -> None:
        self.running.add_reader(mux.fileno(), mux.read)

    def remove_reader(self, mux: UdpMux) -> None:
        if not self.running.is_closed():
            self.running.remove_reader(mux.fileno())
