"""The time by which what is stored is judged to be too old: a clock that is set forward makes nothing old."""

import time
from collections.abc import Callable


class ExpiryClock:
    """Unix seconds: the wall clock, but never further ahead than the seconds that have passed since this was made.

    While the wall clock is set back, what is stored lives longer by as much. Nothing is deleted that a right clock
    would keep.

    Args:
        wall_clock: gives Unix seconds.
        monotonic: gives seconds that no setting of the clock changes.
    """

    def __init__(self, wall_clock: Callable[[], float], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall_clock = wall_clock
        self._monotonic = monotonic
        self._ahead = wall_clock() - monotonic()

    def __call__(self) -> float:
        return min(self._wall_clock(), self._monotonic() + self._ahead)
