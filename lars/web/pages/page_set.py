"""A set of pages: routes requests to its methods, and writes what they answer as HTTP."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from klein import Klein
from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.web.server import Request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from lars.db.engine import DatabaseAway
from lars.errors import LarsError
from lars.runtime.turns import in_turns
from lars.web.auth.access import COOKIE, local_part
from lars.web.auth.passwords import TooBusy
from lars.web.console import Console
from lars.web.form_data import TooManyFields, form_fields
from lars.web.language import Translatable, untranslated
from lars.web.page_request import Answer, Cookie, Download, Page, PageRequest, Redirect, trouble
from lars.web.rights import NotPermitted
from lars.web.roles import Role

_log = Logger()

PRE_SESSION = 3600
"""Seconds that a cookie without a session is kept."""

STRANGERS_FORMS = frozenset({"sign_in.html", "setup.html"})
"""Templates with a form for those without a session, whose key needs a cookie; no other page sets one."""


class NotFound(LarsError):
    """There is nothing at this address."""


class PageSet:
    """Pages below one address; a subclass has an `app` of its own, made by new_app (docs/design/web.md, requests)."""

    app: Klein

    def __init__(self, console: Console) -> None:
        self.console = console
        self.access = console.access

    async def answer(
        self, http_request: Request, role: Role | None, method: Callable[[PageRequest], Awaitable[Answer]]
    ) -> bytes:
        """Answers a request by a method of this set; returns the body, after the head is set."""
        try:
            request = await self.access.identify(http_request)
        except LarsError as error:
            request = self.access.anonymous(http_request)
            return self._write(http_request, request, trouble(503, untranslated(error)))
        return self._write(http_request, request, await self._answer(http_request, request, role, method))

    async def _with_form(self, http_request: Request, request: PageRequest) -> PageRequest:
        """The request with the fields of its body; only to be called when whoever sent it may send a form."""
        content_type = (http_request.requestHeaders.getRawHeaders(b"Content-Type") or [b""])[0].decode("latin-1")
        body = http_request.content.read() if http_request.content else b""
        fields = await in_turns(self.console.reactor, form_fields(content_type, body))
        return replace(request, fields={**request.fields, **fields})

    async def _answer(
        self,
        http_request: Request,
        request: PageRequest,
        role: Role | None,
        method: Callable[[PageRequest], Awaitable[Answer]],
    ) -> Answer:
        try:
            if refused := await self.access.refusal(http_request, request, role):
                return refused
            if http_request.method == b"POST":
                request = await self._with_form(http_request, request)
                if refused := self.access.form_refusal(request):
                    return refused
            return await method(request)
        except NotFound as error:
            return trouble(404, untranslated(error))
        except NotPermitted as error:
            return trouble(403, untranslated(error))
        except TooBusy as error:
            http_request.setHeader(b"Retry-After", b"5")
            return trouble(503, untranslated(error))
        except TooManyFields as error:
            return trouble(413, untranslated(error))
        except DatabaseAway as error:
            return trouble(503, Translatable("The database does not answer: %(text)s", text=error))
        except LarsError as error:
            return trouble(400, untranslated(error))
        except (HTTPException, CancelledError):
            raise
        except Exception:
            _log.failure("the page {path} failed; its browser gets status 500", path=request.path)
            return trouble(500, Translatable("This page has a bug; the log of lars-web says which."))

    def answer_missing(self, http_request: Request, error: HTTPException) -> bytes:
        """Answers a request that no page is for; returns the body, after the head is set."""
        request = self.access.anonymous(http_request)
        for name, value in error.get_headers():
            if name.lower() == "allow":
                http_request.setHeader(name.encode(), value.encode())
        if isinstance(error, RequestRedirect):
            http_request.setHeader(b"Location", (request.prefix + local_part(error.new_url)).encode("ascii", "replace"))
        status = error.code or 500
        return self._write(http_request, request, trouble(status, _text_of(status)))

    def _write(self, http_request: Request, request: PageRequest, answer: Answer) -> bytes:
        cookies = list(getattr(answer, "cookies", ()))
        needs_one = isinstance(answer, Page) and answer.template in STRANGERS_FORMS
        if needs_one and not cookies and http_request.getCookie(COOKIE.encode()) is None:
            cookies.append(Cookie(COOKIE, request.secret, PRE_SESSION))
        for cookie in cookies:
            http_request.addCookie(
                cookie.name,
                cookie.value,
                max_age=str(cookie.max_age),
                path=request.prefix or "/",
                secure=request.secure,
                httpOnly=True,
                sameSite="lax",
            )
        match answer:
            case Redirect(path=path):
                http_request.setResponseCode(303)
                http_request.setHeader(b"Location", (request.prefix + path).encode("ascii", "replace"))
                return b""
            case Download(name=name, content_type=content_type, body=body):
                http_request.setHeader(b"Content-Type", content_type.encode())
                http_request.setHeader(b"Content-Disposition", f'attachment; filename="{name}"'.encode())
            case Page(status=status):
                http_request.setResponseCode(status)
                http_request.setHeader(b"Content-Type", b"text/html; charset=utf-8")
                http_request.setHeader(b"Content-Language", request.language.encode())
                http_request.setHeader(b"Vary", b"Accept-Language, Cookie")
                body = self.console.views.render(answer, request)
        http_request.setHeader(b"Content-Length", b"%d" % len(body))
        return body


Method = Callable[..., Awaitable[Answer]]


def new_app() -> Klein:
    """The routes of a set of pages; what none of them matches is answered with a page too."""
    app = Klein()

    async def failed(pages: PageSet, http_request: Request, failure: Any) -> bytes:
        return pages.answer_missing(http_request, failure.value)

    handle: Any = app.handle_errors(HTTPException)
    handle(failed)
    return app


def page(app: Klein, rule: str, role: Role | None = Role.VIEWER, form: bool = False) -> Callable[[Method], Method]:
    """Routes a method of a PageSet, called with a PageRequest and the rule's values.

    Args:
        app: the set's own.
        rule: werkzeug's.
        role: who may see it; None: everybody, signed in or not.
        form: whether it answers POST rather than GET; the form's key is checked first.
    """

    def decorate(method: Method) -> Method:
        @app.route(rule, methods=["POST"] if form else ["GET"])
        @wraps(method)
        async def handle(self: PageSet, http_request: Request, **values: Any) -> bytes:
            return await self.answer(http_request, role, lambda request: method(self, request, **values))

        return method

    return decorate


def _text_of(status: int) -> Translatable:
    if status == 404:
        return Translatable("There is no page at this address.")
    if status == 405:
        return Translatable("This address does not take requests of this method.")
    return Translatable("This cannot be answered.")
