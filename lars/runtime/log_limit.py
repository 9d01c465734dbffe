"""Keeps a fault that repeats from flooding the log: it is told on change, then at most once a minute."""

from collections.abc import Callable


class LogLimit:
    """Decides whether a repeated event is worth a line now.

    An event is told `burst` times in an interval (seconds), the first of which begins it, and then not again before the
    next. Remembers at most `capacity` different events; `now` is a clock in seconds.
    """

    def __init__(self, now: Callable[[], float], interval: float = 60.0, capacity: int = 256, burst: int = 1) -> None:
        self._now = now
        self._interval = interval
        self._capacity = capacity
        self._burst = burst
        self._told: dict[object, tuple[float, int, int]] = {}  # event -> since when, told since, untold since

    def tell(self, event: object) -> int:
        """How many times the event happened since it was last told, this one included; 0 means keep quiet."""
        now = self._now()
        known = self._told.get(event)
        if known is None:
            if len(self._told) >= self._capacity:
                del self._told[next(iter(self._told))]
            self._told[event] = (now, 1, 0)
            return 1
        since, told, untold = known
        if now - since >= self._interval:
            self._told[event] = (now, 1, 0)
            return untold + 1
        if told < self._burst:
            self._told[event] = (since, told + 1, 0)
            return 1
        self._told[event] = (since, told, untold + 1)
        return 0

    def clear(self, event: object) -> None:
        """The fault is over: its next occurrence is told at once."""
        self._told.pop(event, None)
