"""Waiting for a condition with a deadline: what tests do instead of sleeping."""

import inspect
from collections.abc import Callable
from typing import Any

from twisted.internet.task import deferLater

from bench.processes.waiting import attempts

STEP = 0.01
"""Seconds between two looks."""


async def until(
    reactor: Any, condition: Callable[[], Any], what: str | Callable[[], str], deadline: float = 10.0
) -> Any:
    """The first true answer of a condition, which may be a coroutine function; the reactor runs between attempts.

    Raises AssertionError, which says what was waited for, after `deadline` seconds.
    """
    for _ in attempts(deadline, reactor.seconds):
        answer = condition()
        if found := await answer if inspect.isawaitable(answer) else answer:
            return found
        await deferLater(reactor, STEP)
    raise AssertionError(f"waited {deadline:g} s for {what if isinstance(what, str) else what()}")
