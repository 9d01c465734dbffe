"""What a test left behind: errors in the log that it did not expect, and things the reactor still holds."""

import gc
import threading
from typing import Any

from twisted.internet.process import reapProcessHandlers
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogPublisher
from zope.interface import implementer

from lars.db.server_watch import THREAD_NAME
from tests.integration.waiting import until


@implementer(ILogObserver)
class LoggedErrors:
    """The errors logged while a test ran. A test takes those that it expects; any other fails it."""

    def __init__(self) -> None:
        self._events: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_level") in (LogLevel.error, LogLevel.critical):
            self._events.append(event)

    def take(self, text: str = "") -> list[str]:
        """The errors whose text or exception holds `text`, which are then no failure of the test."""
        taken = [event for event in self._events if text in self._text(event)]
        self._events = [event for event in self._events if event not in taken]
        return [self._text(event) for event in taken]

    @staticmethod
    def _text(event: LogEvent) -> str:
        failure = event.get("log_failure")
        return formatEvent(event) + (f"\n{failure.getTraceback()}" if failure else "")

    def watch(self) -> None:
        """Begins to observe the log."""
        globalLogPublisher.addObserver(self)

    def stop(self) -> None:
        """Observes the log no more."""
        gc.collect()  # a Deferred whose error was not handled logs it when it is freed
        globalLogPublisher.removeObserver(self)


class ReactorContents:
    """What the reactor and the threads hold now, to see what a test adds to it for good."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._before = self._held()

    def _held(self) -> dict[int, str]:
        reactor = self._reactor
        held = [*reactor.getReaders(), *reactor.getWriters(), *reapProcessHandlers.values()]
        held += [call for call in reactor.getDelayedCalls() if call.active()]
        held += [thread for thread in threading.enumerate() if _is_somebodys(thread)]
        return {id(thing): repr(thing) for thing in held}

    def added(self) -> list[str]:
        """What is held now and was not before."""
        return [text for key, text in self._held().items() if key not in self._before]

    async def settled(self, deadline: float = 2.0) -> list[str]:
        """What is still there when connections that are closing have had the time to."""
        try:
            await until(self._reactor, lambda: not self.added(), "the reactor to be clean", deadline)
        except AssertionError:
            return self.added()
        return []


def _is_somebodys(thread: threading.Thread) -> bool:
    """Whether somebody should have ended it: a database's threads too, though they delay no end of the process."""
    if "twisted.internet.reactor" in thread.name:  # the reactor's own pool keeps the threads that it once started
        return False
    return not thread.daemon or thread.name.startswith(("PoolThread-", THREAD_NAME))
