"""HTTP of the console: limits of a request, and the headers of every answer (docs/design/web.md, requests)."""

import re
from collections.abc import Callable, Coroutine
from io import BytesIO
from typing import Any, cast
from urllib.parse import unquote_to_bytes

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.resource import IResource
from twisted.web.server import Request

from lars.errors import LarsError
from lars.runtime.http_site import BoundedSite, host_of
from lars.runtime.log_limit import LogLimit
from lars.web.auth.access import fields_of, has_credentials
from lars.web.channel import WebChannel
from lars.web.front import Front, without_prefix
from lars.web.places import Places

_log = Logger()

MAX_BODY = 16 * 1024 * 1024
"""Bytes of a request's body: an import of some 500,000 hosts."""

MAX_FORM = 256 * 1024
"""Bytes of the body of any other form: the longest is a module's list of hosts."""

MAX_STRANGERS_BODY = 16 * 1024
"""Bytes of the body of one who has shown neither a session nor a token: what a form for signing in needs."""

MAX_HELD = 64 * 1024 * 1024
"""Bytes of all bodies that are kept at once."""

LARGE = (b"/transfer", b"/api/")
"""Where a body may be larger than MAX_FORM."""

TOO_LARGE = (413, b"the body is larger than any form of this console\n")
FORGED = b"only a trusted proxy may say who you are: leave that header out\n"
"""Why a request that names a user is refused."""

STRANGERS = (413, b"sign in, or show a token, before you send this much\n")
BUSY = (503, b"too much is being sent at once, or the database is away: try again in a few seconds\n")
"""Why a body is not kept: the status of the answer, and its text."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing from other sites, no script or style but from the console's own files, no frame around it."""

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
    """A request whose body is kept within limits and not parsed, and whose answer has HEADERS.

    Of a stranger's body MAX_STRANGERS_BODY bytes are kept. When a longer one comes with a cookie or a token, nothing
    more is read until the database has said whose it is.
    """

    channel: WebChannel
    _refusal: tuple[int, bytes] | None = None
    _held = 0
    _asked = False
    received_at = 0.0
    """When all of it was received, by the reactor's clock in seconds."""

    def gotLength(self, length: int | None) -> None:
        self._site: WebSite = self.channel.site
        self.content = BytesIO()
        if length is not None and length > MAX_BODY:
            self._drop(*TOO_LARGE)

    def handleContentChunk(self, data: bytes) -> None:
        size = self._held + len(data)
        if self._refusal is not None:
            return
        if size > MAX_BODY:
            self._drop(*TOO_LARGE)
        elif self._site.held + len(data) > MAX_HELD:
            self._drop(*BUSY)
        else:
            cast(BytesIO, self.content).write(data)
            self._held = size
            self._site.held += len(data)
            self.channel.body_kept(size)
            if size > MAX_STRANGERS_BODY and not self._asked and not self.channel.recognized:
                self._asked = True
                self._ask_whose()

    def _ask_whose(self) -> None:
        if not has_credentials(self):
            self._drop(*STRANGERS)
            return
        channel = self.channel  # which this request forgets at its end
        channel.pause()

        def known(yes: bool) -> None:
            if not yes:
                self._drop(*STRANGERS)

        def failed(failure: Failure) -> None:
            if not failure.check(LarsError):
                _log.failure("nobody can say whose body this is", failure)
            self._drop(*BUSY)

        asked = Deferred.fromCoroutine(self._site.is_known(self))
        asked.addCallbacks(known, failed).addCallback(lambda _done: channel.resume())

    def _drop(self, status: int, why: bytes) -> None:
        """Keeps nothing of the body, whatever still comes."""
        if self.finished or self._disconnected:
            return
        self._refusal = (status, why)
        self.content = BytesIO()
        self._release()

    def _release(self) -> None:
        self._site.held -= self._held
        self._held = 0

    def _cleanup(self) -> None:
        self._release()
        super()._cleanup()  # type: ignore[no-untyped-call]  # Twisted's has no types

    def connectionLost(self, reason: Failure) -> None:
        if hasattr(self, "_site"):
            self._release()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]  # Twisted's has no types

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """As Twisted's, but for the body, whose fields are parsed once it is known who sends them."""
        self.received_at = self._site.reactor.seconds()
        secure = bool(self.isSecure())  # type: ignore[no-untyped-call]  # Twisted's has no types
        origin = self._site.front.origin(self.channel.peer, secure, fields_of(self))
        path = without_prefix(path, origin.prefix)
        self.method, self.uri, self.clientproto = command, path, version
        self.path, _mark, query = path.partition(b"?")
        self.args = http.parse_qs(query, 1)
        if self._held > MAX_FORM and not path.startswith(LARGE):
            self._drop(*TOO_LARGE)
        cast(BytesIO, self.content).seek(0)
        self.process()

    def process(self) -> None:
        for name, value in HEADERS.items():
            self.responseHeaders.setRawHeaders(name, [value])
        if not self._is_sound():
            self._refuse(400, b"the request's Host or path is invalid\n")
        elif self._site.front.forges_user(self.channel.peer, fields_of(self)):
            self._site.forged(self.channel.peer)
            self._refuse(403, FORGED)
        elif self._refusal is not None and (self._refusal != STRANGERS or not self.path.startswith(LARGE)):
            self._refuse(*self._refusal)
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
        self.channel.persistent = False
        self.write(why)  # type: ignore[no-untyped-call]
        self.finish()  # type: ignore[no-untyped-call]


class WebSite(BoundedSite):
    """The connections of the console.

    Args:
        reactor: the reactor, or a Clock in tests.
        root: what the requests are answered by.
        max_connections: places.
        max_strangers: places that strangers of one address hold at most.
        is_known: whether the session or token of a request, of which only the head is here, is one. May raise
            DatabaseError.
        on_refused: called when a connection gets no place.
        front: the proxies before it.
        on_answered: called after each answer with the path, without a query, and the seconds that it took.
    """

    protocol = WebChannel
    requestFactory = WebRequest

    def __init__(
        self,
        reactor: IReactorTime,
        root: IResource,
        max_connections: int,
        max_strangers: int,
        is_known: Callable[[Request], Coroutine[Deferred[Any], Any, bool]],
        on_refused: Callable[[], None],
        front: Front,
        on_answered: Callable[[bytes, float], None] = lambda _path, _seconds: None,
    ) -> None:
        super().__init__(reactor, root, max_connections, idle_timeout=None)
        self.places: Places[WebChannel] = Places(max_connections, max_strangers)
        self.is_known = is_known
        self._on_refused = on_refused
        self._on_answered = on_answered
        self.front = front
        self.held = 0
        """Bytes of bodies that are kept now."""
        self.late = 0
        """Connections closed because a request or its successor did not come in time."""
        self.displaced = 0
        """Strangers' connections closed to give others their places."""
        self.answered: dict[int, int] = {}
        """Answers so far by their code's first digit."""
        self.forged_users = 0
        """Requests refused because they named a user whom no trusted proxy has signed in."""
        self._forgeries = LogLimit(reactor.seconds)

    def admits(self, addr: IAddress | None) -> bool:
        decision = self.places.decide(self.stranger_at(host_of(addr)))
        if decision.displaced is not None:
            self.displaced += 1
            decision.displaced.abort()
        if not decision.admitted:
            self._on_refused()
        return decision.admitted

    def stranger_at(self, address: str) -> str:
        """The address whose strangers share their places; empty for a trusted proxy, whose clients are many."""
        return "" if self.front.trusts(address) else address

    def forged(self, peer: str) -> None:
        """A request from `peer` names a user and must not."""
        self.forged_users += 1
        if times := self._forgeries.admit("forged"):
            _log.warn(
                "{peer} is no trusted proxy, or names several users: its request is refused "
                "({times} such since the last line)",
                peer=peer,
                times=times,
            )

    def log(self, request: http.Request) -> None:
        """Counts answers and their time; the audit records who did what."""
        if isinstance(request, WebRequest):
            self._on_answered(request.path, self.reactor.seconds() - request.received_at)
        self.answered[request.code // 100] = self.answered.get(request.code // 100, 0) + 1
