"""Long work in short turns: the reactor serves others between two of them."""

from collections.abc import Generator
from typing import TypeVar

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

T = TypeVar("T")


async def in_turns(clock: IReactorTime, work: Generator[None, None, T]) -> T:
    """The result of a generator, which yields after each millisecond or so of work; its exceptions pass through.

    What the generator does before its first yield is done at once. Cancelling the Deferred of this coroutine ends the
    work at its last yield.
    """
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result
        await deferLater(clock, 0)
