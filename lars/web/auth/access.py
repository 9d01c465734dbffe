"""Access to the console: whom a request comes from, and whether they may do what it asks."""

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from twisted.web.server import Request

from lars.db.accounts import AccountStore
from lars.runtime.expiry_clock import ExpiryClock
from lars.web.auth.secrets import digest_of, form_key, new_secret, same
from lars.web.formats import zone
from lars.web.language import Translatable, wanted_language
from lars.web.page_request import Answer, Cookie, Page, PageRequest, Redirect, trouble
from lars.web.roles import Role
from lars.web.settings import WebSettings

COOKIE = "lars_session"
"""Holds the secret of a session or, before one begins, one that only proves where a form came from."""

ZONE_COOKIE = "lars_zone"
"""The browser's time zone, set by the console's script."""


class Access:
    """Sessions and rights (docs/design/web.md, access). `wall_clock` gives Unix seconds."""

    def __init__(self, accounts: AccountStore, settings: WebSettings, wall_clock: Callable[[], float]) -> None:
        self._accounts = accounts
        self._session_time = int(settings.session_time)
        self._https = settings.url.startswith("https://")
        self._wall_clock = wall_clock
        self._expiry_clock = ExpiryClock(wall_clock)
        self._set_up = False

    async def is_set_up(self) -> bool:
        """Whether anyone can sign in; the database is asked until it is so. Raises DatabaseError."""
        if not self._set_up:
            self._set_up = await self._accounts.any_user()
        return self._set_up

    async def identify(self, http_request: Request) -> PageRequest:
        """The request with the user of its session, if it has one. Raises DatabaseError."""
        request = self.anonymous(http_request)
        cookie = http_request.getCookie(COOKIE.encode())
        if cookie is None:
            return request
        secret = cookie.decode("latin-1")
        user = await self._accounts.session(digest_of(secret), self._expiry_clock())
        return replace(request, user=user, secret=secret, form_key=form_key(secret))

    def anonymous(self, http_request: Request) -> PageRequest:
        """The request without its session, with a new secret of its own."""
        secret = new_secret()
        languages = b",".join(http_request.requestHeaders.getRawHeaders(b"Accept-Language", []))
        zone_name = (http_request.getCookie(ZONE_COOKIE.encode()) or b"").decode("latin-1")
        return PageRequest(
            path=http_request.path.decode("latin-1"),
            fields={_text(name): _text(values[-1]) for name, values in (http_request.args or {}).items()},
            now=self._wall_clock(),
            user=None,
            secret=secret,
            form_key=form_key(secret),
            language=wanted_language(languages.decode("latin-1")),
            zone=zone(zone_name.replace("%2F", "/")),
            secure=http_request.isSecure() or self._https,
            address=str(getattr(http_request.getClientAddress(), "host", "")),
        )

    async def refusal(self, http_request: Request, request: PageRequest, role: Role | None) -> Answer | None:
        """What to answer instead of the page; None if the user may see it. Raises DatabaseError.

        Args:
            role: what the page needs; None: it is for everybody.
        """
        if role is not None and (refused := await self._refused_role(http_request, request, role)):
            return refused
        if http_request.method == b"POST" and not same(request.field("form_key"), request.form_key):
            return trouble(
                403,
                Translatable("This form is too old or not from this console. Go back and reload it."),
            )
        return None

    async def _refused_role(self, http_request: Request, request: PageRequest, role: Role) -> Answer | None:
        if not await self.is_set_up():
            return Page("not_set_up.html", status=403)
        if request.role is None:
            if http_request.method in (b"GET", b"HEAD"):
                asked = http_request.uri.decode("ascii", "replace")
                return Redirect("/sign-in" if asked == "/" else f"/sign-in?next={quote(asked, safe='')}")
            return trouble(403, Translatable("You are not signed in, or no longer: sign in, then send this again."))
        if not request.role.may_be(role):
            return trouble(403, Translatable("Your role may not do this; an admin can give you another one."))
        return None

    async def begin_session(self, user: str, now: float) -> Cookie:
        """A new session of a user, as the cookie that holds its secret. Raises DatabaseError."""
        secret = new_secret()
        await self._accounts.begin_session(digest_of(secret), user, self._expiry_clock(), int(now) + self._session_time)
        return Cookie(COOKIE, secret, self._session_time)

    async def end_session(self, request: PageRequest) -> Cookie:
        """Ends the request's session; the cookie takes its secret from the browser. Raises DatabaseError."""
        await self._accounts.end_session(digest_of(request.secret))
        return Cookie(COOKIE, "", 0)


def local_path(text: str) -> str:
    """A path of this site to go on to, or "/" for anything that might lead elsewhere."""
    return text if re.fullmatch(r"/(?![/\\])[A-Za-z0-9/_.,:?=&%+~-]*", text) else "/"


def _text(given: bytes) -> str:
    return given.decode("utf-8", "replace").replace("\r\n", "\n")
