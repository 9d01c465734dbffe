"""HTTP for browsers that behave and clients that do not: limits, and the headers that every answer has."""

import re
from io import BytesIO
from typing import Any, cast
from urllib.parse import unquote_to_bytes

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.resource import IResource
from twisted.web.server import Request, Site

from lars.runtime.log_limit import LogLimit

_log = Logger()

MAX_BODY = 16 * 1024 * 1024
"""Bytes of a request's body: an import of some 500,000 hosts."""

MAX_FORM = 256 * 1024
"""Bytes of the body of any other form: the longest is a module's list of hosts."""

MAX_FIELDS = 100
"""Fields of a form: no form of ours has that many, and each costs time before anybody is asked who comes."""

LARGE = (b"/transfer", b"/api/")
"""Where a body may be larger than MAX_FORM."""

IDLE = 60.0
"""Seconds that a client may take between two bytes of a request, and between two requests."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, no script or style but from files of ours, no frame around it."""

HEADERS = {
    b"Content-Security-Policy": POLICY.encode(),
    b"X-Content-Type-Options": b"nosniff",
    b"X-Frame-Options": b"DENY",
    b"Referrer-Policy": b"same-origin",
    b"Cross-Origin-Opener-Policy": b"same-origin",
    b"Cross-Origin-Resource-Policy": b"same-origin",
    b"Permissions-Policy": b"camera=(), geolocation=(), microphone=()",
    b"Cache-Control": b"no-store",
}

_HOST = re.compile(rb"[A-Za-z0-9._-]{1,255}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")


class WebRequest(Request):
    """A request whose body has at most MAX_BODY bytes, and whose answer has HEADERS."""

    too_large = False
    _received = 0

    def gotLength(self, length: int | None) -> None:
        if length is not None and length > MAX_BODY:
            self.too_large = True
            self.content = BytesIO()
        else:
            super().gotLength(length)  # type: ignore[no-untyped-call]  # Twisted's has no types

    def handleContentChunk(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > MAX_BODY:
            self.too_large = True
        if not self.too_large:
            super().handleContentChunk(data)  # type: ignore[no-untyped-call]

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        body = self.content
        if body is not None:
            body.seek(0)
            content = body.read()  # to its end, where Twisted takes the body's length from
            too_many = b"urlencoded" in self._content_type() and content.count(b"&") > MAX_FIELDS
            if too_many or (len(content) > MAX_FORM and not path.startswith(LARGE)):
                self.too_large, self.content = True, BytesIO()
        super().requestReceived(command, path, version)  # type: ignore[no-untyped-call]

    def _content_type(self) -> bytes:
        return (self.requestHeaders.getRawHeaders(b"Content-Type") or [b""])[0]

    def process(self) -> None:
        for name, value in HEADERS.items():
            self.responseHeaders.setRawHeaders(name, [value])
        if self.too_large:
            self._refuse(413, b"the body is larger than any form of this console\n")
        elif not self._is_sound():
            self._refuse(400, b"the request's Host or path cannot be right\n")
        else:
            super().process()  # type: ignore[no-untyped-call]

    def _is_sound(self) -> bool:
        """Whether routing can take what the client sent: a host, and a path in UTF-8."""
        host = self.requestHeaders.getRawHeaders(b"Host", [b"none"])
        if len(host) != 1 or not _HOST.fullmatch(host[0]):
            return False
        path = unquote_to_bytes(self.path)
        try:
            path.decode("utf-8")
        except UnicodeDecodeError:
            return False
        return path.startswith(b"/") and b"\0" not in path

    def _refuse(self, code: int, why: bytes) -> None:
        self.setResponseCode(code)
        self.responseHeaders.setRawHeaders(b"Content-Type", [b"text/plain; charset=utf-8"])
        self.responseHeaders.setRawHeaders(b"Content-Length", [b"%d" % len(why)])
        self.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        self.write(why)  # type: ignore[no-untyped-call]
        self.finish()  # type: ignore[no-untyped-call]


class _Channel(http.HTTPChannel):
    """One connection."""

    site: "WebSite"

    def connectionMade(self) -> None:
        super().connectionMade()  # type: ignore[no-untyped-call]  # Twisted's has no types
        self.site.channels.add(self)

    def abort(self) -> None:
        """Cuts the connection now."""
        cast(ITCPTransport, self.transport).abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)  # type: ignore[no-untyped-call]
        self.site.channel_lost(self)


class WebSite(Site):
    """The connections of the console; more than `max_connections` are closed and counted."""

    noisy = False
    protocol = _Channel  # type: ignore[assignment]  # its type is the one Twisted happens to have there
    requestFactory = WebRequest

    def __init__(self, reactor: Any, root: IResource, max_connections: int) -> None:
        super().__init__(root, timeout=IDLE, reactor=reactor)  # type: ignore[no-untyped-call]
        self._limit = LogLimit(reactor.seconds)
        self._max_connections = max_connections
        self.channels: set[_Channel] = set()
        self._emptied: Deferred[None] | None = None
        self.refused = 0
        """Connections closed because too many were open."""
        self.answered: dict[int, int] = {}
        """Answers so far by their code's first digit."""

    def buildProtocol(self, addr: IAddress | None) -> Any:
        if len(self.channels) >= self._max_connections:
            self.refused += 1
            if times := self._limit.tell("refused"):
                _log.warn(
                    "connection from {peer} closed: {limit} are open, the limit; {times} so closed since the last line",
                    peer=getattr(addr, "host", addr),
                    limit=self._max_connections,
                    times=times,
                )
            return None
        return super().buildProtocol(addr)  # type: ignore[no-untyped-call]

    def acceptableProtocols(self) -> list[bytes]:
        return [b"http/1.1"]

    @property
    def open(self) -> int:
        """Connections open now."""
        return len(self.channels)

    def channel_lost(self, channel: _Channel) -> None:
        """A connection is gone."""
        self.channels.discard(channel)
        if self._emptied is not None and not self.channels:
            emptied, self._emptied = self._emptied, None
            emptied.callback(None)

    async def drop_all(self) -> None:
        """Ends every connection now; returns when none is left."""
        for channel in tuple(self.channels):
            channel.abort()
        if self.channels:
            self._emptied = Deferred()
            await self._emptied

    def log(self, request: http.Request) -> None:
        """Counts answers; the audit trail is what is kept of who did what."""
        self.answered[request.code // 100] = self.answered.get(request.code // 100, 0) + 1
