"""HTTP of the console: limits of a request, and the headers of every answer (docs/design/web.md, requests)."""

import re
from io import BytesIO
from urllib.parse import unquote_to_bytes

from twisted.internet.interfaces import IReactorTime
from twisted.web import http
from twisted.web.resource import IResource
from twisted.web.server import Request

from lars.runtime.http_site import BoundedSite

MAX_BODY = 16 * 1024 * 1024
"""Bytes of a request's body: an import of some 500,000 hosts."""

MAX_FORM = 256 * 1024
"""Bytes of the body of any other form: the longest is a module's list of hosts."""

MAX_FIELDS = 100
"""Fields of a form: no form of the console has that many, and each costs time before the sender is known."""

LARGE = (b"/transfer", b"/api/")
"""Where a body may be larger than MAX_FORM."""

IDLE = 60.0
"""Seconds that a client may take between two bytes of a request, and between two requests."""

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
            self._refuse(400, b"the request's Host or path is invalid\n")
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


class WebSite(BoundedSite):
    """The connections of the console."""

    requestFactory = WebRequest

    def __init__(self, reactor: IReactorTime, root: IResource, max_connections: int) -> None:
        super().__init__(reactor, root, max_connections, idle_timeout=IDLE)
        self.answered: dict[int, int] = {}
        """Answers so far by their code's first digit."""

    def log(self, request: http.Request) -> None:
        """Counts answers; the audit records who did what."""
        self.answered[request.code // 100] = self.answered.get(request.code // 100, 0) + 1
