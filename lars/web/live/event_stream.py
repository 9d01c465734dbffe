"""Server-sent events to one browser (HTML Living Standard, 9.2): always the newest, never a queue."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.web.server import Request
from zope.interface import implementer

BEAT = b"event: beat\n"
"""Begins an event that shows proxies and the browser that the stream is alive, and how old its figures are."""


def beat(age: float, why: str) -> bytes:
    """A beat: the seconds since the database was last read, and "database" if it could not be; else empty."""
    return BEAT + b'data: {"age": %d, "why": "%s"}\n\n' % (age, why.encode())


def event(name: str, data: bytes, number: int) -> bytes:
    """One event; the data holds no line ends."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, name.encode(), data)


@implementer(IPushProducer)
class EventStream:
    """Writes to a request while its client reads; while it does not, only the newest event with figures is kept.

    `ended` fires when the stream is ended here; Klein cancels it when the client goes away.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._paused = False
        self._held = b""
        self.ended: Deferred[bytes] = Deferred()
        request.setHeader(b"Content-Type", b"text/event-stream; charset=utf-8")
        request.setHeader(b"X-Accel-Buffering", b"no")  # nginx would gather events otherwise
        request.write(b"retry: 3000\n\n")
        producer: Any = self
        request.registerProducer(producer, True)

    def send(self, text: bytes) -> None:
        """Writes an event, or holds it until the client reads again."""
        if self.ended.called:
            return
        if self._paused:
            self._held = text if not text.startswith(BEAT) else self._held
        else:
            self._request.write(text)

    def end(self) -> None:
        """Ends the stream in order; the browser opens it again by itself."""
        if not self.ended.called:
            self._request.unregisterProducer()
            self.ended.callback(b"")

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        if self._held:
            held, self._held = self._held, b""
            self._request.write(held)

    def stopProducing(self) -> None:
        """The client is gone; the request ends by itself."""
        self._paused = True
