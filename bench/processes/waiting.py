"""Waiting for a condition with a deadline, without a reactor."""

import time
from collections.abc import Callable
from typing import TypeVar

from bench.errors import BenchError

T = TypeVar("T")


def until(condition: Callable[[], T | None], what: str, deadline: float, step: float = 0.005) -> T:
    """The first true answer of a condition, looked at every `step` seconds; raises BenchError after `deadline`."""
    end = time.monotonic() + deadline
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise BenchError(f"waited {deadline:g} s for {what}")
        time.sleep(step)
