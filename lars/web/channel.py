"""One connection to the console, with a deadline for each part of a request (docs/design/web.md, connections)."""

from enum import Enum
from typing import Any, cast

from twisted.internet.interfaces import IDelayedCall, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from twisted.web import http

from lars.runtime.http_site import BoundedChannel

HEAD = 10.0
"""Seconds from the first byte of a request, or from the connection, to the end of the head."""

BODY = 20.0
"""Seconds for a body, besides those that RATE gives it."""

RATE = 8 * 1024
"""Bytes that earn the body of a request or of an answer another second, as MinRate of Apache's mod_reqtimeout; of a
request, only those that are kept."""

IDLE = 60.0
"""Seconds for a client to take an answer, besides those that RATE gives it, and to send its next request."""

CLOSING = 5.0
"""Seconds for a client to take the last bytes of a connection that is being closed."""

LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Phase(Enum):
    """What a connection is doing."""

    CONNECTED = "connected"
    HEAD = "head"
    BODY = "body"
    ANSWER = "answer"
    IDLE = "idle"
    CLOSING = "closing"


class WebChannel(BoundedChannel):
    """A connection of a WebSite. A byte does not restart a deadline, so nobody keeps a place by dripping."""

    site: Any  # a WebSite, which is defined on top of this class
    _deadline: IDelayedCall | None = None

    def connectionMade(self) -> None:
        self.phase = Phase.CONNECTED
        super().connectionMade()
        self.site.places.arrived(self, self.site.stranger_at(self.peer))
        self._end_in(HEAD)

    @property
    def peer(self) -> str:
        """The peer's IP address."""
        return str(getattr(self.getPeer(), "host", ""))  # type: ignore[no-untyped-call]  # Twisted's has no types

    @property
    def recognized(self) -> bool:
        """Whether the client has shown a session or a token; the clients of a proxy may be many."""
        return bool(self.site.places.is_known(self)) and not self.site.front.trusts(self.peer)

    def recognize(self) -> None:
        """The client has shown a session or a token."""
        self.site.places.recognized(self)

    def _end_in(self, seconds: float | None) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = self.site.reactor.callLater(seconds, self._late) if seconds is not None else None

    def _late(self) -> None:
        self._deadline = None
        transport = cast(ITCPTransport, self.transport)
        if self.phase is Phase.CLOSING:
            transport.abortConnection()
            return
        self.site.late += 1
        if self.phase in (Phase.HEAD, Phase.BODY):
            transport.write(LATE)
        self.close()

    def close(self) -> None:
        """Closes the connection, once the client has taken what it was sent or CLOSING seconds are over."""
        self.phase = Phase.CLOSING
        self._end_in(CLOSING)
        self.loseConnection()  # type: ignore[no-untyped-call]  # Twisted's has no types

    def dataReceived(self, data: bytes) -> None:
        if self.phase is Phase.CLOSING:
            return
        if self.phase is Phase.IDLE:
            self.phase = Phase.HEAD
            self._end_in(HEAD)
        elif self.phase is Phase.CONNECTED:
            self.phase = Phase.HEAD
        LineReceiver.dataReceived(self, data)  # HTTPChannel's restarts its timeout

    def allHeadersReceived(self) -> None:
        if self.length != 0:
            self.phase = Phase.BODY
            self._body_since = self.site.reactor.seconds()
            self._end_in(BODY)
        super().allHeadersReceived()  # type: ignore[no-untyped-call]  # Twisted's has no types

    def body_kept(self, size: int) -> None:
        """So many bytes of the body are kept by now."""
        if self.phase is Phase.BODY:
            self._end_in(max(0.0, self._body_since + BODY + size / RATE - self.site.reactor.seconds()))

    def allContentReceived(self) -> None:
        self.phase = Phase.ANSWER
        self._end_in(None)
        self.site.places.answered(self)
        super().allContentReceived()  # type: ignore[no-untyped-call]  # Twisted's has no types

    def requestDone(self, request: http.Request) -> None:
        self.phase = Phase.IDLE if self.persistent else Phase.CLOSING
        self._end_in(IDLE + request.sentLength / RATE)
        self.site.places.waits(self)
        super().requestDone(request)  # type: ignore[no-untyped-call]

    def pause(self) -> None:
        """Reads no more until `resume`."""
        self._networkProducer.pauseProducing()

    def resume(self) -> None:
        """Reads on."""
        if self.phase is Phase.BODY:
            self._networkProducer.resumeProducing()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.phase = Phase.CLOSING
        self._end_in(None)
        self.site.places.left(self)
        super().connectionLost(reason)
