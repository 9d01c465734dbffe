"""How long and how often register asks: the same for every client."""

from collections.abc import Iterator
from time import monotonic

REGISTER_TIMEOUT = 1.0
"""Seconds that register waits for a module's first hosts, unless told otherwise."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.1


def pauses(timeout: float) -> Iterator[float]:
    """Seconds to wait before each question; the last one is asked when `timeout` seconds are over."""
    deadline = monotonic() + timeout
    pause = _FIRST_PAUSE
    yield 0.0
    while (left := deadline - monotonic()) > 0:
        yield min(pause, left)
        pause = min(2 * pause, _LONGEST_PAUSE)
