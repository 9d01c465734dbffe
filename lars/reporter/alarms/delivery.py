"""What one webhook is to be told: in order, one at a time, each until it is told.

See docs/design/reporter.md, webhooks.
"""

from collections import deque
from collections.abc import Awaitable, Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from lars.db.alarms import Alarm

_log = Logger()

FIRST_DELAY, MAX_DELAY = 1.0, 60.0
"""Seconds between two attempts at first, doubled each time, and at most."""

MAX_QUEUED = 10_000
"""Alarms that wait for one webhook; more wait for the next start."""


class Delivery:
    """The queue of one webhook. `attempt` posts that an alarm has raised, or with True cleared; whether it need not be
    tried again."""

    def __init__(self, clock: IReactorTime, attempt: Callable[[Alarm, bool], Awaitable[bool]]) -> None:
        self._clock = clock
        self._attempt = attempt
        self._waiting: deque[tuple[Alarm, bool]] = deque()
        self._working: Deferred[None] | None = None

    def __contains__(self, what: tuple[int, bool]) -> bool:
        """Whether it waits already; an alarm's id, and whether that it has cleared."""
        return any((alarm.id, cleared) == what for alarm, cleared in self._waiting)

    def add(self, alarm: Alarm, cleared: bool) -> None:
        """Queues one thing to be told, unless too much is."""
        if len(self._waiting) < MAX_QUEUED:
            self._waiting.append((alarm, cleared))
        if self._working is None or self._working.called:
            self._working = Deferred.fromCoroutine(self._work())
            self._working.addErrback(self._ended)

    async def _work(self) -> None:
        delay = FIRST_DELAY
        while self._waiting:
            if await self._attempt(*self._waiting[0]):
                self._waiting.popleft()
                delay = FIRST_DELAY
            else:
                await deferLater(self._clock, delay)
                delay = min(MAX_DELAY, 2 * delay)

    def _ended(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            _log.failure("posting alarms met a bug", failure)

    async def stop(self) -> None:
        """Tells nothing more."""
        self._waiting.clear()
        if self._working is not None:
            self._working.cancel()
            await self._working
