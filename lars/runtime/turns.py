"""Waiting within limits: long work in short turns, and an end to patience."""

from collections.abc import Generator
from typing import TypeVar

from twisted.internet.defer import Deferred
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


async def at_most(clock: IReactorTime, seconds: float, awaited: Deferred[T]) -> bool:
    """Waits for a Deferred, which is left as it is, for at most so many seconds; whether it has fired."""
    over: Deferred[bool] = Deferred()
    late = clock.callLater(seconds, over.callback, False)

    def fired(result: T) -> T:
        if late.active():
            late.cancel()
            over.callback(True)
        return result

    awaited.addBoth(fired)
    return await over
