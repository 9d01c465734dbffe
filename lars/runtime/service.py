"""A Twisted service written as two coroutines, with one line in the log for why it cannot start."""

import atexit
import os
import sys

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from lars.errors import LarsError
from lars.runtime.reactor import IReactor
from lars.runtime.systemd import READY, STOPPING, notify

_log = Logger()


class AsyncService(Service):
    """A service whose `start` and `stop` are coroutines.

    `start` is cancelled if the service is stopped meanwhile. A LarsError from it is one line in the log and the end of
    the process with status 1; anything else is a bug and keeps its traceback, with the same end. When `start` is done,
    systemd learns that the service is ready.
    """

    def __init__(self, reactor: IReactor) -> None:
        self.reactor = reactor
        self._starting: Deferred[None] | None = None

    async def start(self) -> None:
        """Opens what the service needs; may take as long as that takes."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Ends everything that `start` began, also if it was cut short."""
        raise NotImplementedError

    def startService(self) -> None:
        super().startService()  # type: ignore[no-untyped-call]  # Twisted's has no types
        self._starting = Deferred.fromCoroutine(self.start())
        self._starting.addCallbacks(lambda _done: notify(READY), self._cannot_start)

    def _cannot_start(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        if failure.check(LarsError):
            end_process(self.reactor, f"{self.name}: {failure.getErrorMessage()}")
        else:
            _log.failure("{name} cannot start", failure, name=self.name)
            end_process(self.reactor, f"{self.name} cannot start")

    def stopService(self) -> Deferred[None]:
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted's has no types
        notify(STOPPING)
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
        await self.stop()


def end_process(reactor: IReactor, reason: str) -> None:
    """Logs the reason, stops the reactor in order, and makes the process exit with status 1.

    twistd by itself would exit with status 0 however its reactor came to stop.
    """
    _log.critical("{reason}", reason=reason)
    atexit.register(_exit_1)
    reactor.callWhenRunning(reactor.stop)


def _exit_1() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)
