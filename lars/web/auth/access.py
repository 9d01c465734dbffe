"""The door to every page: who comes, whether they may, and how what a page answers becomes HTTP."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import wraps
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from klein import Klein
from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.web.server import Request
from werkzeug.exceptions import HTTPException

from lars.db.engine import DatabaseAway
from lars.errors import LarsError
from lars.web.auth.secrets import digest_of, form_key, new_secret, same
from lars.web.console import Console
from lars.web.formats import zone
from lars.web.language import Said, wanted_language
from lars.web.page_request import Answer, Cookie, Download, Elsewhere, Page, Visit
from lars.web.roles import Role

_log = Logger()

COOKIE = "lars_session"
"""Holds the secret of a session or, before one is begun, one that only proves where a form came from."""

ZONE_COOKIE = "lars_zone"
"""The browser's time zone, which the script tells."""

PRE_SESSION = 3600
"""Seconds that a cookie without session is kept."""


class HasDoor(Protocol):
    """A set of pages."""

    door: "Door"


class NotFound(LarsError):
    """There is nothing at this address."""


Pages = TypeVar("Pages", bound=HasDoor)
Handler = Callable[..., Awaitable[Answer]]


def page(app: Klein, rule: str, role: Role | None = Role.VIEWER, form: bool = False) -> Callable[[Handler], Handler]:
    """Routes a method of a set of pages, called with a Visit and the rule's values.

    Args:
        app: the set's own.
        rule: werkzeug's.
        role: who may; None: everybody, signed in or not.
        form: whether it answers POST rather than GET; the form's key is checked first.
    """

    def decorate(method: Handler) -> Handler:
        @app.route(rule, methods=["POST"] if form else ["GET"])
        @wraps(method)
        async def handle(self: HasDoor, request: Request, **values: Any) -> bytes:
            return await self.door.answer(request, role, lambda visit: method(self, visit, **values))

        return method

    return decorate


def guard(app: Klein) -> None:
    """Makes a set of pages answer what it has no page for."""

    async def failed(pages: HasDoor, request: Request, failure: Any) -> bytes:
        return await pages.door.missing(request, failure.value)

    handle: Any = app.handle_errors(HTTPException)
    handle(failed)


class Door:
    """Lets requests in. `set_up` is whether somebody can sign in; it is asked once until it is so."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._set_up = False

    async def missing(self, request: Request, error: HTTPException) -> bytes:
        """The body for a request that no page is for."""
        for name, value in error.get_headers():
            if name.lower() in ("location", "allow"):
                request.setHeader(name.encode(), value.encode())
        status = error.code or 500
        return self._write(request, self._stranger(request), _trouble(status, _texts(status)))

    async def answer(self, request: Request, role: Role | None, handler: Callable[[Visit], Awaitable[Answer]]) -> bytes:
        """The body for a request; its head is written to it."""
        try:
            visit = await self._visit(request)
        except LarsError as error:
            visit = self._stranger(request)
            return self._write(request, visit, _trouble(503, Said("%(text)s", text=error)))
        return self._write(request, visit, await self._answered(request, visit, role, handler))

    async def _answered(
        self, request: Request, visit: Visit, role: Role | None, handler: Callable[[Visit], Awaitable[Answer]]
    ) -> Answer:
        try:
            if role is not None and (refusal := await self._refusal(request, visit, role)):
                return refusal
            if request.method == b"POST" and not same(visit.field("form_key"), visit.form_key):
                return _trouble(
                    403, Said("This form is not from a page that you were shown, or is too old. Go back and reload it.")
                )
            return await handler(visit)
        except NotFound as error:
            return _trouble(404, Said("%(text)s", text=error))
        except DatabaseAway as error:
            return _trouble(503, Said("The database does not answer: %(text)s", text=error))
        except LarsError as error:
            return _trouble(400, Said("%(text)s", text=error))
        except (HTTPException, CancelledError):
            raise
        except Exception:
            _log.failure("{path} met a bug", path=visit.path)
            return _trouble(500, Said("This page has a bug; the log of lars-web says which."))

    async def is_set_up(self) -> bool:
        """Whether there is anyone who can sign in."""
        if not self._set_up:
            self._set_up = await self.console.stores.accounts.any_user()
        return self._set_up

    async def may_look(self, request: Request) -> bool:
        """Whether a request comes from somebody who is signed in."""
        visit = await self._visit(request)
        return visit.role is not None

    async def _refusal(self, request: Request, visit: Visit, role: Role) -> Answer | None:
        if not await self.is_set_up():
            return Page("not_set_up.html", status=403)
        if visit.role is None:
            if request.method in (b"GET", b"HEAD"):
                asked = request.uri.decode("ascii", "replace")
                return Elsewhere("/sign-in" if asked == "/" else f"/sign-in?next={quote(asked, safe='')}")
            return _trouble(403, Said("You are not signed in, or no longer: sign in, then send this again."))
        if not visit.role.may_be(role):
            return _trouble(403, Said("Your role may not do this; an admin can give you another one."))
        return None

    async def _visit(self, request: Request) -> Visit:
        visit = self._stranger(request)
        given = request.getCookie(COOKIE.encode())
        if given is None:
            return visit
        secret = given.decode("latin-1")
        user = await self.console.stores.accounts.session(digest_of(secret), visit.now)
        return replace(visit, user=user, secret=secret, form_key=form_key(secret))

    def _stranger(self, request: Request) -> Visit:
        """The visit as it is without its session."""
        secret = new_secret()
        languages = b",".join(request.requestHeaders.getRawHeaders(b"Accept-Language", []))
        cookie = (request.getCookie(ZONE_COOKIE.encode()) or b"").decode("latin-1")
        client = request.getClientAddress()
        return Visit(
            path=request.path.decode("latin-1"),
            fields={_text(name): _text(values[-1]) for name, values in (request.args or {}).items()},
            now=self.console.wall_clock(),
            user=None,
            secret=secret,
            form_key=form_key(secret),
            language=wanted_language(languages.decode("latin-1")),
            zone=zone(cookie.replace("%2F", "/")),
            secure=request.isSecure() or self.console.settings.url.startswith("https://"),
            address=str(getattr(client, "host", "")),
        )

    def _write(self, request: Request, visit: Visit, answer: Answer) -> bytes:
        cookies = list(getattr(answer, "cookies", ()))
        if visit.user is None and not cookies and request.getCookie(COOKIE.encode()) is None:
            cookies.append(Cookie(COOKIE, visit.secret, PRE_SESSION))
        for cookie in cookies:
            request.addCookie(
                cookie.name,
                cookie.value,
                max_age=str(cookie.max_age),
                path="/",
                secure=visit.secure,
                httpOnly=True,
                sameSite="strict",
            )
        match answer:
            case Elsewhere(path=path):
                request.setResponseCode(303)
                request.setHeader(b"Location", path.encode("ascii", "replace"))
                return b""
            case Download(name=name, content_type=content_type, body=body):
                request.setHeader(b"Content-Type", content_type.encode())
                request.setHeader(b"Content-Disposition", f'attachment; filename="{name}"'.encode())
            case Page(status=status):
                request.setResponseCode(status)
                request.setHeader(b"Content-Type", b"text/html; charset=utf-8")
                request.setHeader(b"Content-Language", visit.language.encode())
                request.setHeader(b"Vary", b"Accept-Language, Cookie")
                body = self.console.views.render(answer, visit)
        request.setHeader(b"Content-Length", b"%d" % len(body))
        return body


def _text(given: bytes) -> str:
    return given.decode("utf-8", "replace").replace("\r\n", "\n")


def _trouble(status: int, text: Said) -> Page:
    return Page("trouble.html", {"text": text, "status": status}, status)


def _texts(status: int) -> Said:
    if status == 404:
        return Said("There is no page at this address.")
    if status == 405:
        return Said("This address does not answer that kind of request.")
    return Said("This cannot be answered.")


def local_path(text: str) -> str:
    """A path of this site to go on to, or "/" for anything that might lead elsewhere."""
    return text if re.fullmatch(r"/(?![/\\])[A-Za-z0-9/_.,:?=&%+~-]*", text) else "/"
