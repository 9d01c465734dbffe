"""Routes as the agent had them a moment ago, asked for when somebody needs them (docs/design/gateway.md, the agent)."""

from collections.abc import Callable
from itertools import islice

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from lars.client.polling import pauses
from lars.errors import LarsError
from lars.gateway.route import Route
from lars.route import ModuleId

_log = Logger()

TTL = 0.3
"""Seconds for which a route is used before the agent is asked again. The answer is short while nothing has changed."""

FIRST_WAIT = 0.5
"""Seconds for which the first questions about a module wait for its hosts, which the agent pulls when it is asked."""

UNUSED = 60.0
"""Seconds after which a route that nobody asked for is forgotten."""

MAX_MODULES = 10_000
"""Modules that are remembered at once: a client chooses which it asks for."""

Ask = Callable[[ModuleId, Route | None], Deferred[Route]]
"""Asks the agent for a module's route, given the one that is known; fails with AgentUnavailable."""


class _Entry:
    __slots__ = ("asking", "awaited_until", "route", "until", "waiting")

    def __init__(self, now: float) -> None:
        self.route: Route | None = None
        self.until = now
        self.awaited_until = now + FIRST_WAIT
        self.waiting: list[Deferred[Route]] = []
        self.asking: Deferred[None] | None = None


class RouteCache:
    """The routes of modules that somebody asked for lately. Concurrent questions about a module are one.

    Args:
        ask: asks the agent.
        clock: the reactor, or a Clock in tests.
    """

    def __init__(self, ask: Ask, clock: IReactorTime) -> None:
        self._ask = ask
        self._clock = clock
        self._entries: dict[ModuleId, _Entry] = {}  # the longest unused first

    def __len__(self) -> int:
        """Modules that are remembered."""
        return len(self._entries)

    def fresh(self, module: ModuleId) -> Route | None:
        """The route, if the agent need not be asked."""
        entry = self._entries.get(module)
        return entry.route if entry is not None and self._clock.seconds() < entry.until else None

    def get(self, module: ModuleId) -> Deferred[Route]:
        """The route; asks the agent unless it is fresh. Fails with AgentUnavailable."""
        now = self._clock.seconds()
        entry = self._entries.pop(module, None) or self._new_entry(now)
        self._entries[module] = entry
        wanted: Deferred[Route] = Deferred()
        if entry.route is not None and now < entry.until:
            wanted.callback(entry.route)
            return wanted
        entry.waiting.append(wanted)
        if entry.asking is None:
            # Set before the coroutine runs: it may end at once.
            entry.asking = Deferred()
            entry.asking = Deferred.fromCoroutine(self._refresh(module, entry))
            entry.asking.addErrback(self._stopped)
            if entry.asking.called:
                entry.asking = None
        return wanted

    def _new_entry(self, now: float) -> _Entry:
        if len(self._entries) >= MAX_MODULES:
            idle = next((module for module, entry in self._entries.items() if entry.asking is None), None)
            if idle is not None:
                del self._entries[idle]
        return _Entry(now)

    async def _refresh(self, module: ModuleId, entry: _Entry) -> None:
        try:
            route = await self._ask(module, entry.route)
            patience = max(0.0, entry.awaited_until - self._clock.seconds())
            for pause in islice(pauses(patience, self._clock.seconds), 1, None):
                if route.hosts:
                    break
                await deferLater(self._clock, pause)
                route = await self._ask(module, entry.route)
        except LarsError:
            entry.asking = None
            self._deliver(entry, Failure())
            return
        entry.route, entry.until, entry.asking = route, self._clock.seconds() + TTL, None
        if route.hosts:
            entry.awaited_until = entry.until
        self._deliver(entry, route)

    def _deliver(self, entry: _Entry, answer: Route | Failure) -> None:
        waiting, entry.waiting = entry.waiting, []
        for wanted in waiting:
            wanted.callback(answer) if isinstance(answer, Route) else wanted.errback(answer)

    def _stopped(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            _log.failure("a route cannot be asked for", failure)

    def forget_unused(self) -> None:
        """Forgets routes that nobody asked for lately."""
        oldest = self._clock.seconds() - UNUSED
        unused = [m for m, entry in self._entries.items() if entry.until < oldest and entry.asking is None]
        for module in unused:
            del self._entries[module]

    def close(self) -> None:
        """Ends the questions under way; whoever waits for one gets no answer."""
        for entry in tuple(self._entries.values()):
            if entry.asking is not None:
                entry.asking.cancel()
        self._entries.clear()
