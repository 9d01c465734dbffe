"""How many modules a search finds: counted once for all who look at its pages."""

from collections.abc import Callable

from lars.db.modules import ModuleStore

AGE = 10.0
"""Seconds that a number is shown; the page itself is always read anew."""

CAPACITY = 100


class Counts:
    """Numbers of modules by search; `seconds` is the reactor's clock."""

    def __init__(self, modules: ModuleStore, seconds: Callable[[], float]) -> None:
        self._modules = modules
        self._seconds = seconds
        self._counts: dict[str, tuple[float, int]] = {}

    async def of(self, text: str) -> int:
        """Raises DatabaseError."""
        at, count = self._counts.get(text, (-AGE, 0))
        if self._seconds() - at < AGE and text in self._counts:
            return count
        count = await self._modules.count(text)
        self._counts.pop(text, None)
        self._counts[text] = (self._seconds(), count)
        if len(self._counts) > CAPACITY:
            del self._counts[next(iter(self._counts))]
        return count
