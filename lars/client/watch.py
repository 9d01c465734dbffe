"""The iterators of `client.watch`: routes as they change, until closed (docs/design/client.md, watches)."""

import threading
from collections.abc import Awaitable, Callable, Generator
from time import monotonic
from types import TracebackType
from typing import Any, Self

from lars.client.core import Core
from lars.client.errors import AgentUnavailable
from lars.client.host import Host
from lars.client.module_cache import ModuleCache
from lars.client.udp_mux import Timer
from lars.client.watched_route import AskHosts, AskState, Pause, Route, Step, WatchedRoute
from lars.wire.lars_pb2 import RouteStateResponse

Steps = Generator[Step, Any, None]


def steps(core: Core, cached: ModuleCache, interval: float) -> Steps:
    """What a watch does, step by step; each is answered through `send`. It has no end.

    Raises SettingsError if `interval` is out of range, before the first step.
    """
    watched = WatchedRoute(cached.module, interval, monotonic() + core.first_wait)
    return _steps(core, cached, watched)


def _steps(core: Core, cached: ModuleCache, watched: WatchedRoute) -> Steps:
    shard = cached.shard
    while True:
        asked_at = monotonic()
        route: Route | None = None
        state: RouteStateResponse | None = None
        states_supported = asked_at >= shard.states_unsupported_until
        if states_supported:
            state = yield AskState(watched.version)
        if state is not None:
            core.answered(shard)
            route = watched.learn_state(state, monotonic())
        else:
            hosts: list[Host] | None = yield AskHosts()
            if hosts is not None:
                if states_supported and shard.alive:  # it answers this, but not that
                    shard.states_unsupported(asked_at)
                route = watched.learn_hosts(hosts, saved=not shard.alive, now=monotonic())
        if route is not None:
            yield route
        yield Pause(watched.pause(monotonic()))


class Watch:
    """Routes of a module as they change; whoever iterates waits for the next change. One thread iterates at a time.

    It ends when it, or its client, is closed, which any thread may do.

    >>> with client.watch(1, 1) as watch:
    ...     route = next(watch)
    >>> print(*route.all)
    127.0.0.1:9001 127.0.0.1:9002
    """

    def __init__(
        self,
        core: Core,
        cached: ModuleCache,
        interval: float,
        ask_state: Callable[[int], RouteStateResponse | None],
        ask_hosts: Callable[[], list[Host]],
    ) -> None:
        self._core = core
        self._steps = steps(core, cached, interval)
        self._ask_state = ask_state
        self._ask_hosts = ask_hosts
        self._closed = threading.Event()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Route:
        answer: object = None
        while not self._closed.is_set() and not self._core.closed:
            step = self._steps.send(answer)
            if isinstance(step, Route):
                return step
            answer = self._answer(step)
        raise StopIteration

    def _answer(self, step: Pause | AskState | AskHosts) -> object:
        if isinstance(step, Pause):
            return self._closed.wait(step.seconds)
        if isinstance(step, AskState):
            return self._ask_state(step.version)
        try:
            return self._ask_hosts()
        except AgentUnavailable:
            return None  # the core has logged it

    def close(self) -> None:
        """Ends the watch; the thread that waits for it goes on at once."""
        self._closed.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class Wakeup:
    """A wait of a coroutine for a time or for `wake`, whichever is first.

    `awaited` is what it awaits, `fire` ends that, and `call_later` is the loop's.
    """

    def __init__(
        self,
        seconds: float,
        awaited: Awaitable[object],
        fire: Callable[[], None],
        call_later: Callable[[float, Callable[[], None]], Timer],
    ) -> None:
        self._awaited = awaited
        self._fire = fire
        self._timer: Timer | None = call_later(seconds, self._elapsed)

    def _elapsed(self) -> None:
        self._timer = None
        self._fire()

    def wake(self) -> None:
        """Ends the wait now."""
        if self._timer is not None:
            self._timer.cancel()
            self._elapsed()

    async def over(self) -> None:
        """Returns when it is over; cancellation ends the timer, too."""
        try:
            await self._awaited
        finally:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None


class AsyncWatch:
    """Routes of a module as they change, for `async for`; one task iterates at a time.

    It ends when it, or its client, is closed.
    """

    def __init__(
        self,
        core: Core,
        cached: ModuleCache,
        interval: float,
        ask_state: Callable[[int], Awaitable[RouteStateResponse | None]],
        ask_hosts: Callable[[], Awaitable[list[Host]]],
        wakeup: Callable[[float], Wakeup],
    ) -> None:
        self._core = core
        self._steps = steps(core, cached, interval)
        self._ask_state = ask_state
        self._ask_hosts = ask_hosts
        self._wakeup = wakeup
        self._waiting: Wakeup | None = None
        self._closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Route:
        answer: object = None
        while not self._closed and not self._core.closed:
            step = self._steps.send(answer)
            if isinstance(step, Route):
                return step
            answer = await self._answer(step)
        raise StopAsyncIteration

    async def _answer(self, step: Pause | AskState | AskHosts) -> object:
        if isinstance(step, Pause):
            self._waiting = self._wakeup(step.seconds)
            try:
                await self._waiting.over()
            finally:
                self._waiting = None
            return None
        if isinstance(step, AskState):
            return await self._ask_state(step.version)
        try:
            return await self._ask_hosts()
        except AgentUnavailable:
            return None  # the core has logged it

    def close(self) -> None:
        """Ends the watch; the task that waits for it goes on. A plain call, since it waits for nothing."""
        self._closed = True
        if self._waiting is not None:
            self._waiting.wake()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
