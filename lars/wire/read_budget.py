"""Shares the reactor's turns among many connections: bytes that a turn has no time for are read in a later one."""

from collections import deque
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

BUDGET = 0.01
"""Seconds of one turn of the reactor that are spent on reading messages."""


class Reader(Protocol):
    """A connection whose bytes can be deferred: it is paused until it has read them."""

    def resume_deferred(self) -> None:
        """Reads what was deferred, and then from the transport again."""


class ReadBudget:
    """The budget of all connections of one listening place.

    A turn of Twisted's reactor reads from every connection that has something, thousands of them when a fleet
    reconnects. Timers and all other connections wait for as long.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._ends: float | None = None
        self._known: deque[Reader] = deque()
        self._new: deque[Reader] = deque()

    def is_spent(self) -> bool:
        """Whether this turn has used its budget, which begins with the first call."""
        if self._ends is None:
            self._begin()
            return False
        return self._clock.seconds() >= self._ends

    def defer(self, reader: Reader, is_new: bool) -> None:
        """Has the reader resumed in a later turn. New readers, which may be a fleet, and the others take turns."""
        (self._new if is_new else self._known).append(reader)

    def _begin(self) -> float:
        self._ends = ends = self._clock.seconds() + BUDGET
        self._clock.callLater(0, self._next)
        return ends

    def _next(self) -> None:
        self._ends = None
        if not (self._known or self._new):
            return
        ends = self._begin()
        while (self._known or self._new) and self._clock.seconds() < ends:
            for readers in (self._known, self._new):
                if readers:
                    readers.popleft().resume_deferred()
