"""HTTP connections of the gateway: limits of a request, and its answer (docs/design/gateway.md, HTTP)."""

from collections import Counter
from io import BytesIO
from typing import Any, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import Request

from lars.gateway.agent import Agent
from lars.gateway.http.answer import Answer, problem
from lars.gateway.http.api import Api
from lars.runtime.http_site import BoundedChannel, BoundedSite

_log = Logger()

MAX_BODY = 1024 * 1024
"""Bytes of a request's body: 10,000 reports."""

REQUEST_TIME = 10.0
"""Seconds from the first byte of a request, or from the connection, to the answer, whatever drips in between."""

IDLE_TIME = 75.0
"""Seconds that a connection may wait for its next request: longer than most pools of clients keep one."""


class GatewayChannel(BoundedChannel):
    """A connection; the site ends it when its time is over.

    Attributes:
        since: when what it does now began.
        limit: seconds that it may last.
    """

    site: "GatewaySite"

    def connectionMade(self) -> None:
        super().connectionMade()
        self._now_for(REQUEST_TIME)

    def _now_for(self, limit: float) -> None:
        self.limit = limit
        self.since = self.site.reactor.seconds()

    def dataReceived(self, data: bytes) -> None:
        if self.limit == IDLE_TIME:
            self._now_for(REQUEST_TIME)
        LineReceiver.dataReceived(self, data)  # HTTPChannel's restarts its timeout

    def requestDone(self, request: http.Request) -> None:
        self._now_for(IDLE_TIME)
        super().requestDone(request)  # type: ignore[no-untyped-call]  # Twisted's has no types


class GatewayRequest(Request):
    """A request that the API answers; its body is kept within MAX_BODY and parsed by nobody else."""

    channel: GatewayChannel
    _too_large = False
    _waiting: Deferred[None] | None = None

    def gotLength(self, length: int | None) -> None:
        self.content = BytesIO()
        self._too_large = length is not None and length > MAX_BODY

    def handleContentChunk(self, data: bytes) -> None:
        body = cast(BytesIO, self.content)
        if not self._too_large and body.tell() + len(data) <= MAX_BODY:
            body.write(data)
        else:
            self._too_large = True

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """As Twisted's, but for the body and the query, which the API parses."""
        self.method, self.uri, self.clientproto = command, path, version
        self.process()

    def process(self) -> None:
        if self._too_large:
            detail = f"the body is larger than {MAX_BODY} bytes: send fewer reports at once"
            self.channel.persistent = False
            self._send(problem(413, detail, headers={b"Connection": b"close"}))
            return
        path, _mark, query = self.uri.decode("latin-1").partition("?")
        content_type = self.requestHeaders.getRawHeaders("Content-Type", [""])[0]
        body = cast(BytesIO, self.content).getvalue()
        answer = self.channel.site.api.answer(self.method.decode("latin-1"), path, query, body, content_type)
        if isinstance(answer, Answer):
            self._send(answer)
        else:
            self._waiting = answer.addCallback(self._send).addErrback(self._not_sent)

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)  # type: ignore[no-untyped-call]  # Twisted's has no types
        if self._waiting is not None:
            self._waiting.cancel()

    def _not_sent(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            _log.failure("an answer cannot be sent", failure)

    def _send(self, answer: Answer) -> None:
        if self.finished or self._disconnected:
            return
        self.channel.site.answered[answer.status // 100] += 1
        self.setResponseCode(answer.status)
        headers = self.responseHeaders
        for name, value in answer.headers.items():
            headers.setRawHeaders(name, [value])
        headers.setRawHeaders(b"Cache-Control", [b"no-store"])
        if answer.status != http.NOT_MODIFIED:
            headers.setRawHeaders(b"Content-Type", [answer.content_type])
            headers.setRawHeaders(b"Content-Length", [b"%d" % len(answer.body)])
        self.write(answer.body)  # type: ignore[no-untyped-call]  # Twisted's has no types
        self.finish()  # type: ignore[no-untyped-call]  # Twisted's has no types


class GatewaySite(BoundedSite):
    """The connections over TCP and the Unix socket together.

    Attributes:
        api: what answers.
        answered: answers by the first digit of their status.
        late: connections closed because their time was over.
    """

    protocol = GatewayChannel
    requestFactory = GatewayRequest

    def __init__(self, reactor: IReactorTime, agent: Agent, max_connections: int) -> None:
        root = Resource()
        super().__init__(reactor, root, max_connections, idle_timeout=None)
        self.api = Api(agent, self.log_limit)
        self.answered: Counter[int] = Counter()
        self.late = 0

    def log(self, request: http.Request) -> None:
        """Keeps no access log: a process asks before each of its calls."""

    def end_late(self) -> None:
        """Closes the connections whose time is over; to be called every second or so."""
        now = self.reactor.seconds()
        for channel in tuple(self.channels):
            bounded = cast(Any, channel)
            if now - bounded.since > bounded.limit:
                self.late += bounded.limit != IDLE_TIME
                channel.abort()
