"""Shares the reactor's turns among many connections: what a turn has no time for is read on in the next."""

from collections import deque
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

TURN = 0.01
"""Seconds of one turn of the reactor that messages are read for."""


class Reader(Protocol):
    """A connection whose bytes can be put off: it reads no more from its transport until it has read them."""

    def read_on(self) -> None: ...


class Turn:
    """One for all connections of a place.

    A turn of Twisted's reactor reads from every connection that has something, thousands of them when a fleet comes
    back; timers and everybody else wait meanwhile.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._ends: float | None = None
        self._known: deque[Reader] = deque()
        self._new: deque[Reader] = deque()

    def is_spent(self) -> bool:
        """Whether this turn has had its time; the first question begins it."""
        if self._ends is None:
            self._begin()
            return False
        return self._clock.seconds() >= self._ends

    def put_off(self, reader: Reader, is_new: bool) -> None:
        """The reader is called in a later turn. New ones, who may be a fleet, and the others take turns."""
        (self._new if is_new else self._known).append(reader)

    def _begin(self) -> float:
        self._ends = ends = self._clock.seconds() + TURN
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
                    readers.popleft().read_on()
