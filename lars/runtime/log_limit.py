"""Limits how often a repeated event is logged: at once when it is new, then at most once an interval."""

from collections.abc import Callable


class LogLimit:
    """Decides whether a repeated event is worth a log line now.

    Args:
        now: a clock in seconds.
        interval: seconds in which an event is admitted at most `burst` times; the first time starts it.
        capacity: events that are remembered; the oldest is forgotten for a new one.
        burst: times that an event is admitted in an interval.
    """

    def __init__(self, now: Callable[[], float], interval: float = 60.0, capacity: int = 256, burst: int = 1) -> None:
        self._now = now
        self._interval = interval
        self._capacity = capacity
        self._burst = burst
        self._events: dict[object, tuple[float, int, int]] = {}  # event -> start of interval, admitted, suppressed

    def admit(self, event: object) -> int:
        """How many times the event has happened since its last line, this one included; 0 means do not log it."""
        now = self._now()
        known = self._events.get(event)
        if known is None:
            if len(self._events) >= self._capacity:
                del self._events[next(iter(self._events))]
            self._events[event] = (now, 1, 0)
            return 1
        since, admitted, suppressed = known
        if now - since >= self._interval:
            self._events[event] = (now, 1, 0)
            return suppressed + 1
        if admitted < self._burst:
            self._events[event] = (since, admitted + 1, 0)
            return 1
        self._events[event] = (since, admitted, suppressed + 1)
        return 0

    def clear(self, event: object) -> None:
        """Forgets an event that is over: its next occurrence is logged at once."""
        self._events.pop(event, None)
