"""Which check is due: each at its own time, and no more a second than the agent may make. Pure."""

import heapq
import random
from math import inf
from typing import Generic, Protocol, TypeVar

JITTER = 0.1
"""The share by which an interval varies at random, so that the checks of a fleet do not come at once."""


class Due(Protocol):
    """Something that is done at a time; only the schedule writes `due`."""

    due: float


D = TypeVar("D", bound=Due)


class Schedule(Generic[D]):
    """What is due when. `now` is in seconds, monotonic.

    Args:
        rate: how many are started a second, at most.
        rng: for the jitter.
    """

    def __init__(self, rate: float, rng: random.Random) -> None:
        self._gap = 1 / rate
        self._rng = rng
        self._heap: list[tuple[float, int, D]] = []
        self._number = 0  # decides between equal times
        self._free_at = -inf

    def first(self, item: D, interval: float, now: float) -> None:
        """Schedules the first time, somewhere in the next `interval` seconds: agents that begin together spread."""
        self.at(item, now + interval * self._rng.random())

    def again(self, item: D, interval: float, started: float) -> None:
        """Schedules the next time, `interval` seconds after the last one was `started`, with jitter."""
        self.at(item, started + interval * (1 + JITTER * (2 * self._rng.random() - 1)))

    def at(self, item: D, due: float) -> None:
        """Schedules a time, in place of another one."""
        item.due = due
        self._number += 1
        heapq.heappush(self._heap, (due, self._number, item))

    def drop(self, item: D) -> None:
        """Takes an item out."""
        item.due = inf

    def next_at(self) -> float:
        """When something can be started; infinity if nothing is scheduled."""
        heap = self._heap
        while heap and heap[0][0] != heap[0][2].due:  # dropped, or scheduled anew
            heapq.heappop(heap)
        return max(heap[0][0], self._free_at) if heap else inf

    def take(self, now: float) -> D | None:
        """What is due and may be started now, those that have waited longest first; it is no longer scheduled."""
        if self.next_at() > now:
            return None
        item = heapq.heappop(self._heap)[2]
        item.due = inf
        return item

    def started(self, now: float) -> None:
        """Notes that something was started, which the rate counts."""
        self._free_at = now + self._gap
