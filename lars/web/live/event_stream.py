"""Server-sent events to one browser (HTML Living Standard, 9.2): always the newest, never a queue."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.web.server import Request
from zope.interface import implementer

ALIVE = b":\n\n"
"""A comment: it shows proxies and the browser that the stream lives."""


def event(name: str, data: bytes, number: int) -> bytes:
    """One event; the data holds no line ends."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, name.encode(), data)


@implementer(IPushProducer)
class EventStream:
    """Writes to a request while its client reads; of what comes meanwhile the newest is kept.

    `ended` fires when we end it; a client that goes away cancels it.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._paused = False
        self._owed = b""
        self.ended: Deferred[bytes] = Deferred()
        request.setHeader(b"Content-Type", b"text/event-stream; charset=utf-8")
        request.setHeader(b"X-Accel-Buffering", b"no")  # nginx would gather events otherwise
        request.write(b"retry: 3000\n\n")
        producer: Any = self
        request.registerProducer(producer, True)

    def send(self, text: bytes) -> None:
        """Writes an event, or owes it."""
        if self.ended.called:
            return
        if self._paused:
            self._owed = text if text != ALIVE else self._owed
        else:
            self._request.write(text)

    def end(self) -> None:
        """Ends the stream in order; the browser comes again by itself."""
        if not self.ended.called:
            self._request.unregisterProducer()
            self.ended.callback(b"")

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        if self._owed:
            owed, self._owed = self._owed, b""
            self._request.write(owed)

    def stopProducing(self) -> None:
        """The client is gone; the request's own end tells so too."""
        self._paused = True
