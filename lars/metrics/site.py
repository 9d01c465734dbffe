"""The pages over HTTP, for scrapers that behave and for clients that don't.

A connection is one request and its answer, with one deadline for both: however slowly a client sends or reads, it is
gone by then, and requests that it pipelines cost nothing. Bodies are read and thrown away.
"""

from io import BytesIO
from typing import Any, cast

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from lars.metrics.pages import Answer, Pages
from lars.runtime.log_limit import LogLimit

_log = Logger()

MAX_CONNECTIONS = 64
"""Open at once; a scraper and a health check need one each."""

BROKEN = Answer(500, b"this page cannot be made; the log says why\n")
"""A collector or the readiness check has a bug."""


class _Page(Resource):
    """Every path and method."""

    isLeaf = True

    def __init__(self, pages: Pages, limit: LogLimit) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's has no types
        self._pages = pages
        self._limit = limit

    def render(self, request: Request) -> bytes:
        answer = self._answer(request)
        request.setResponseCode(answer.status)
        request.setHeader(b"Content-Type", answer.content_type.encode("latin-1"))
        request.setHeader(b"Cache-Control", b"no-store")
        if answer.allow:
            request.setHeader(b"Allow", answer.allow.encode("ascii"))
        if request.method == b"HEAD":
            request.setHeader(b"Content-Length", b"%d" % len(answer.body))
            return b""
        return answer.body

    def _answer(self, request: Request) -> Answer:
        accept = b",".join(request.requestHeaders.getRawHeaders(b"Accept", []))
        try:
            return self._pages.answer(request.method, request.path, accept.decode("latin-1"))
        except Exception:
            if times := self._limit.tell("broken"):
                _log.failure(
                    "{path} cannot be answered ({times} such since the last line)",
                    path=request.path.decode("latin-1"),
                    times=times,
                )
            return BROKEN


class _Request(Request):
    """A request whose body, if it has one, is not kept."""

    def gotLength(self, length: int | None) -> None:
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        pass


class _Channel(http.HTTPChannel):
    """One connection."""

    site: "MetricsSite"
    _deadline: IDelayedCall

    def connectionMade(self) -> None:
        super().connectionMade()  # type: ignore[no-untyped-call]  # Twisted's has no types
        self.site.channels.add(self)
        self._deadline = self.site.reactor.callLater(self.site.lifetime, self.abort)

    def abort(self) -> None:
        """Cuts the connection now."""
        cast(ITCPTransport, self.transport).abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._deadline.active():
            self._deadline.cancel()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]  # Twisted's has no types
        self.site.channel_lost(self)

    def checkPersistence(self, request: http.Request, version: bytes) -> bool:
        request.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        return False


class MetricsSite(Site):
    """The connections of one endpoint; each ends after `lifetime` seconds at the latest."""

    noisy = False
    protocol = _Channel  # type: ignore[assignment]  # its type is the one Twisted happens to have there
    requestFactory = _Request

    def __init__(self, reactor: Any, pages: Pages, lifetime: float) -> None:
        self._limit = LogLimit(reactor.seconds)
        super().__init__(_Page(pages, self._limit), timeout=None, reactor=reactor)  # type: ignore[no-untyped-call]
        self.lifetime = lifetime
        self.channels: set[_Channel] = set()
        self._emptied: Deferred[None] | None = None

    def buildProtocol(self, addr: IAddress | None) -> Any:
        if len(self.channels) >= MAX_CONNECTIONS:
            if times := self._limit.tell("refused"):
                _log.warn(
                    "connection from {peer} for metrics closed: {limit} are open, the limit; {times} so closed since "
                    "the last line",
                    peer=addr.host if isinstance(addr, IPv4Address) else addr,
                    limit=MAX_CONNECTIONS,
                    times=times,
                )
            return None
        return super().buildProtocol(addr)  # type: ignore[no-untyped-call]  # Twisted's has no types

    def log(self, request: http.Request) -> None:
        """Keeps no access log: scrapes and health checks come every few seconds for ever."""

    def acceptableProtocols(self) -> list[bytes]:
        return [b"http/1.1"]  # all that _Channel speaks, also where the h2 package is installed

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
