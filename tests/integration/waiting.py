"""Waiting for a condition with a deadline: what tests do instead of sleeping."""

import inspect
from collections.abc import Callable
from typing import Any

from twisted.internet.task import deferLater

STEP = 0.01
"""Seconds between two looks."""


async def until(
    reactor: Any, condition: Callable[[], Any], what: str | Callable[[], str], deadline: float = 10.0
) -> Any:
    """The first true answer of a condition, which may be a coroutine function; the reactor runs meanwhile.

    Raises AssertionError, saying what did not come, after `deadline` seconds.
    """
    end = reactor.seconds() + deadline
    while True:
        answer = condition()
        found = await answer if inspect.isawaitable(answer) else answer
        if found:
            return found
        if reactor.seconds() > end:
            raise AssertionError(f"waited {deadline:g} s for {what if isinstance(what, str) else what()}")
        await deferLater(reactor, STEP)
