"""Keeps a repeated fault from flooding the log: one line on change, then at most one a minute."""

from collections.abc import Callable


class LogLimit:
    """Decides whether a repeated event gets a line now.

    Args:
        now: a clock, in seconds.
        interval: seconds, from the first line on, in which an event gets at most `burst` lines.
        capacity: events that are remembered, at most; the oldest is forgotten first.
        burst: lines an interval.
    """

    def __init__(self, now: Callable[[], float], interval: float = 60.0, capacity: int = 256, burst: int = 1) -> None:
        self._now = now
        self._interval = interval
        self._capacity = capacity
        self._burst = burst
        self._told: dict[object, tuple[float, int, int]] = {}  # event -> since when, told since, untold since

    def tell(self, event: object) -> int:
        """Notes an event. Returns how many times it happened since its last line, this one included; 0: write none."""
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
        """Forgets an event that is over: its next occurrence gets a line at once."""
        self._told.pop(event, None)
