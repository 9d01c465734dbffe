"""Taking turns: the one implementation of round robin that agent and client share."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import cycle
from typing import Any, Generic, TypeVar

T = TypeVar("T", bound=Hashable)

_NO_TURN: Callable[[], Any] = cycle(()).__next__
"""Raises StopIteration; shared, since a module without ejected hosts has an empty rotation."""


class Rotation(Generic[T]):
    """Members in turn: the one that `next` returns goes to the back.

    `next` is an attribute. While members stay the same it is one call of a C function, which many threads may make at
    once. The first turn after a change costs time in proportion to the number of members.

    Attributes:
        next: returns the member whose turn it is; raises StopIteration where there is none.
        size: the number of members.
    """

    __slots__ = ("_members", "_queue", "next", "size")

    def __init__(self, members: Iterable[T] = (), start: int = 0) -> None:
        """Takes distinct members, of which number `start` (from 0) has the first turn."""
        given = tuple(members)
        self._members: Sequence[T] = given[start:] + given[:start] if start else given
        self._queue: dict[T, None] | None = None  # the members in their order, while that is being changed
        self.size = len(given)
        self.next: Callable[[], T] = cycle(self._members).__next__ if given else _NO_TURN

    def add(self, member: T) -> None:
        """Adds a new member at the back."""
        self._opened()[member] = None
        self.size += 1

    def remove(self, member: T) -> None:
        """Removes a member; the others keep their order. Raises KeyError if it is none."""
        del self._opened()[member]
        self.size -= 1

    def _opened(self) -> dict[T, None]:
        if self._queue is None:
            members = self._members
            # A cycle does not say where it is: taking one turn from it does.
            first = members.index(self.next()) if members else 0
            self._queue = dict.fromkeys([*members[first:], *members[:first]])
            self._members = ()
            self.next = self._settle
        return self._queue

    def _settle(self) -> T:
        self._members, self._queue = tuple(self._queue or ()), None
        self.next = cycle(self._members).__next__ if self._members else _NO_TURN
        return self.next()
