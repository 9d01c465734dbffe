"""Numbers that take the database a scan: counted once for all who look, and again behind their backs."""

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from lars.db.engine import DatabaseError

_log = Logger()

Key = TypeVar("Key", bound=Hashable)
Number = TypeVar("Number")

AGE = 15.0
"""Seconds after which a number is counted again, while the old one is shown."""

OLDEST = 300.0
"""Seconds after which the old one is not shown any more."""

CAPACITY = 100


class CachedCounts(Generic[Key, Number]):
    """Numbers by what is counted; `seconds` is the reactor's clock."""

    def __init__(self, count: Callable[[Key], Awaitable[Number]], seconds: Callable[[], float]) -> None:
        self._count = count
        self._seconds = seconds
        self._counts: dict[Key, tuple[float, Number]] = {}
        self._counting: dict[Key, Deferred[None]] = {}

    async def of(self, key: Key) -> Number:
        """Waits only for what was not counted lately; raises DatabaseError."""
        known = self._counts.get(key)
        age = self._seconds() - known[0] if known is not None else OLDEST
        if known is None or age >= OLDEST:
            return await self._anew(key)
        if age >= AGE and key not in self._counting:
            self._counting[key] = Deferred.fromCoroutine(self._behind(key))
        return known[1]

    async def _behind(self, key: Key) -> None:
        try:
            await self._anew(key)
        except DatabaseError as error:
            _log.debug("a number is not counted again: {error}", error=str(error))
        except Exception:  # nobody waits for it
            _log.failure("counting met a bug")
        finally:
            self._counting.pop(key, None)

    async def _anew(self, key: Key) -> Number:
        number = await self._count(key)
        self._counts.pop(key, None)
        self._counts[key] = (self._seconds(), number)
        if len(self._counts) > CAPACITY:
            del self._counts[next(iter(self._counts))]
        return number
