"""The queue of one webhook: posts go out in order, one at a time, each until it succeeds or is given up.

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
"""Seconds between two attempts: the first delay, doubled after each failure, and the longest."""

MAX_QUEUED = 10_000
"""Posts that wait for one webhook; more wait in the table."""


class DeliveryQueue:
    """The posts that wait for one webhook.

    Args:
        clock: the reactor, or a Clock in tests.
        attempt: posts that an alarm was raised or, with True, cleared; returns whether this post is done with.
    """

    def __init__(self, clock: IReactorTime, attempt: Callable[[Alarm, bool], Awaitable[bool]]) -> None:
        self._clock = clock
        self._attempt = attempt
        self._queue: deque[tuple[Alarm, bool]] = deque()
        self._queued: set[tuple[int, bool]] = set()
        self._sending: Deferred[None] | None = None

    def __contains__(self, post: tuple[int, bool]) -> bool:
        """Whether a post is queued: an alarm's id, and whether the post says that it cleared."""
        return post in self._queued

    def add(self, alarm: Alarm, cleared: bool) -> None:
        """Queues a post, unless MAX_QUEUED are queued, and starts sending."""
        if len(self._queue) < MAX_QUEUED:
            self._queue.append((alarm, cleared))
            self._queued.add((alarm.id, cleared))
        if self._sending is None or self._sending.called:
            self._sending = Deferred.fromCoroutine(self._send_all())
            self._sending.addErrback(self._log_bug)

    async def _send_all(self) -> None:
        delay = FIRST_DELAY
        while self._queue:
            alarm, cleared = self._queue[0]
            if await self._attempt(alarm, cleared):
                self._queue.popleft()
                self._queued.discard((alarm.id, cleared))
                delay = FIRST_DELAY
            else:
                await deferLater(self._clock, delay)
                delay = min(MAX_DELAY, 2 * delay)

    def _log_bug(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            _log.failure("posting alarms failed", failure)

    async def stop(self) -> None:
        """Cancels the post under way and drops the queue."""
        self._queue.clear()
        self._queued.clear()
        if self._sending is not None:
            self._sending.cancel()
            await self._sending
