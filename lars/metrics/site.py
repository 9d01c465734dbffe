"""The metrics pages over HTTP.

A connection is one request and its answer, with one deadline for both: however slowly a client sends or reads, it is
gone by then, and requests that it pipelines cost nothing. Bodies are read and discarded.
"""

from io import BytesIO

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import Request

from lars.metrics.pages import Answer, Pages
from lars.runtime.http_site import BoundedChannel, BoundedSite
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
            if times := self._limit.admit("broken"):
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


class _Channel(BoundedChannel):
    """One connection: one request, one answer, one deadline."""

    site: "MetricsSite"
    _deadline: IDelayedCall

    def connectionMade(self) -> None:
        super().connectionMade()
        self._deadline = self.site.reactor.callLater(self.site.lifetime, self.abort)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._deadline.active():
            self._deadline.cancel()
        super().connectionLost(reason)

    def checkPersistence(self, request: http.Request, version: bytes) -> bool:
        request.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        return False


class MetricsSite(BoundedSite):
    """The connections of one endpoint; each ends after `lifetime` seconds at the latest."""

    protocol = _Channel
    requestFactory = _Request

    def __init__(self, reactor: IReactorTime, pages: Pages, lifetime: float) -> None:
        page = _Page(pages, LogLimit(reactor.seconds))
        super().__init__(reactor, page, MAX_CONNECTIONS, idle_timeout=None)
        self.lifetime = lifetime

    def log(self, request: http.Request) -> None:
        """Keeps no access log: scrapes and health checks come every few seconds for ever."""
