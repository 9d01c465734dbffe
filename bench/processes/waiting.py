"""Waiting for a condition with a deadline."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from bench.processes.errors import ProcessError

T = TypeVar("T")


def attempts(deadline: float, clock: Callable[[], float]) -> Iterator[None]:
    """Yields as long as a condition is to be tried again: until `deadline` seconds have passed.

    The last attempt begins after the deadline, so that a machine that stalls between two attempts fails no wait.

    Args:
        deadline: in seconds from now.
        clock: the time in seconds, such as time.monotonic or a reactor's.
    """
    end = clock() + deadline
    while clock() <= end:
        yield
    yield


def until(condition: Callable[[], T | None], what: str, deadline: float, step: float = 0.005) -> T:
    """The first true answer of a condition, tried every `step` seconds; blocks.

    Raises ProcessError, which says what was waited for, after `deadline` seconds.
    """
    for _ in attempts(deadline, time.monotonic):
        if found := condition():
            return found
        time.sleep(step)
    raise ProcessError(f"waited {deadline:g} s for {what}")
