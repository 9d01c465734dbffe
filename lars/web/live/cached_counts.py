"""Counts that cost the database a scan; one that takes long is cached for all, and refreshed in the background."""

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from lars.db.engine import DatabaseError

_log = Logger()

Key = TypeVar("Key", bound=Hashable)
Number = TypeVar("Number")

AGE = 15.0
"""Seconds after which a count is refreshed, while the old one is still given."""

OLDEST = 300.0
"""Seconds after which the old count is no longer given."""

CAPACITY = 100
"""Keys that are cached; the least recently counted go first."""


QUICK = 0.1
"""Seconds: what took less is counted each time, so that it is right at once."""


class CachedCounts(Generic[Key, Number]):
    """Counts by key; `count` counts one and may raise DatabaseError, `seconds` is the reactor's clock."""

    def __init__(self, count: Callable[[Key], Awaitable[Number]], seconds: Callable[[], float]) -> None:
        self._count = count
        self._seconds = seconds
        self._counts: dict[Key, tuple[float, Number]] = {}
        self._counting: dict[Key, Deferred[None]] = {}
        self._took: dict[Key, float] = {}

    async def of(self, key: Key) -> Number:
        """The count of a key, waited for if it is quick or no recent one is cached. Raises DatabaseError."""
        known = self._counts.get(key)
        age = self._seconds() - known[0] if known is not None else OLDEST
        if known is None or age >= OLDEST or self._took.get(key, QUICK) < QUICK:
            return await self._count_now(key)
        if age >= AGE and key not in self._counting:
            self._counting[key] = Deferred.fromCoroutine(self._refresh(key))
        return known[1]

    async def _refresh(self, key: Key) -> None:
        try:
            await self._count_now(key)
        except DatabaseError as error:
            _log.debug("a cached count is not refreshed: {error}", error=str(error))
        except Exception:  # no caller waits for it
            _log.failure("refreshing a cached count failed")
        finally:
            self._counting.pop(key, None)

    async def _count_now(self, key: Key) -> Number:
        began = self._seconds()
        number = await self._count(key)
        self._took[key] = self._seconds() - began
        self._counts.pop(key, None)
        self._counts[key] = (self._seconds(), number)
        if len(self._counts) > CAPACITY:
            oldest = next(iter(self._counts))
            del self._counts[oldest], self._took[oldest]
        return number
