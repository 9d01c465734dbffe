"""A simulated host: so many calls at a time from one queue, and the faults that it can have."""

import heapq
from dataclasses import dataclass

REFUSAL = 0.0003
"""Seconds that a refused connection takes."""
NETWORK = 0.0002
"""Seconds there and back."""


OK, FAILED, TIMED_OUT, REFUSED = range(4)
"""How a call ended, as its caller sees it. REFUSED: the policy let it be made to no host."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is wrong with a host, for calls chosen from now on.

    Attributes:
        up: refuses connections if it is not.
        hangs: takes connections and never answers.
        slowness: service takes so many times as long.
        failing: the share of calls that fail, after their usual time.
    """

    up: bool = True
    hangs: bool = False
    slowness: float = 1.0
    failing: float = 0.0


WELL = Condition()


class Server:
    """Serves `workers` calls at a time, first come, first served; refuses at once when `backlog` calls wait.

    It also serves the calls that their callers have given up.
    """

    __slots__ = ("_busy_until", "_free_at", "_mean", "_room", "condition")

    def __init__(self, workers: int, mean: float, backlog: int) -> None:
        """`mean` is the mean time of service in seconds."""
        self.condition = WELL
        self._mean, self._room = mean, workers + backlog
        self._free_at = [0.0] * workers  # a heap: when each worker has served what is queued for it
        self._busy_until: list[float] = []  # a heap: the ends of the calls that are served or wait

    def call(self, now: float, work: float, luck: float, timeout: float) -> tuple[int, float]:
        """What the caller of one call sees, and after how many seconds.

        Args:
            now: when the call is made.
            work: its service time as a multiple of the mean.
            luck: from 0 to 1; below the share that fails, it fails.
            timeout: seconds after which the caller gives up.
        """
        condition = self.condition
        if not condition.up:
            return FAILED, REFUSAL
        if condition.hangs:
            return TIMED_OUT, timeout
        busy, free = self._busy_until, self._free_at
        while busy and busy[0] <= now:
            heapq.heappop(busy)
        if len(busy) >= self._room:
            return FAILED, REFUSAL
        end = max(now, free[0]) + work * self._mean * condition.slowness
        heapq.heapreplace(free, end)
        heapq.heappush(busy, end)
        cost = end - now + NETWORK
        if cost > timeout:
            return TIMED_OUT, timeout
        return (FAILED if luck < condition.failing else OK), cost
