"""Periodic work: a named function called at an interval, which survives its own bugs and stops in order."""

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from lars.runtime.log_limit import LogLimit

_log = Logger()


class Periodic:
    """Calls a function every `interval` seconds, at most one call at a time.

    An exception is a bug in the function: it is logged with its traceback, at most once a minute, and the calls go on.
    Intervals that pass during a long call are skipped (twisted.internet.task.LoopingCall).

    Args:
        name: what the function does, as a log line says it: "pruning of RouteChange".
        interval: seconds between the starts of two calls, more than 0.
        function: a plain function, or one that returns a coroutine.
        clock: the reactor, or a Clock in tests.
    """

    def __init__(
        self,
        name: str,
        interval: float,
        function: Callable[[], Coroutine[Deferred[Any], Any, object] | object],
        clock: IReactorTime,
    ) -> None:
        self.name = name
        self.interval = interval
        self._function = function
        self._limit = LogLimit(clock.seconds)
        self._loop = LoopingCall(self._call)
        self._loop.clock = clock
        self._ended: Deferred[LoopingCall] | None = None

    @property
    def running(self) -> bool:
        """Whether there will be another call."""
        return self._loop.running

    def start(self, now: bool = False) -> None:
        """Starts the calls, the first one `now` or after an interval.

        Raises AssertionError if they are running already.
        """
        self._ended = self._loop.start(self.interval, now=now)

    def stop(self) -> Deferred[None]:
        """Makes no further call; fires when the call under way, if any, has ended. Harmless if nothing was started."""
        if self._loop.running:
            self._loop.stop()
        if self._ended is None:
            return succeed(None)
        ended: Deferred[None] = Deferred()

        def fire(loop: LoopingCall) -> LoopingCall:
            ended.callback(None)
            return loop

        self._ended.addCallback(fire)
        return ended

    def _call(self) -> Deferred[None] | None:
        try:
            result = self._function()
        except Exception:
            self._log_bug(Failure())
            return None
        if isinstance(result, Coroutine):
            return Deferred.fromCoroutine(result).addCallbacks(lambda _result: None, self._log_bug)
        return None

    def _log_bug(self, failure: Failure) -> None:
        if times := self._limit.admit(failure.type):
            _log.failure(
                "{name} failed; the next try follows in {interval:g} s ({times} such since the last line)",
                failure,
                name=self.name,
                interval=self.interval,
                times=times,
            )
