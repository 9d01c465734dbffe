"""Access to the console: whom a request comes from, and whether they may do what it asks."""

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from twisted.web.server import Request

from lars.db.accounts import AccountStore, Session, User
from lars.runtime.expiry_clock import ExpiryClock
from lars.web.auth.last_uses import LastUses
from lars.web.auth.secrets import digest_of, form_key, new_secret, same
from lars.web.channel import WebChannel
from lars.web.form_data import text_of
from lars.web.formats import zone
from lars.web.front import Front, Header, Origin
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

    def __init__(
        self,
        accounts: AccountStore,
        settings: WebSettings,
        wall_clock: Callable[[], float],
        last_uses: LastUses,
    ) -> None:
        self._accounts = accounts
        self._last_uses = last_uses
        self._session_time = int(settings.session_time)
        self._front = Front(settings.url, settings.trust_proxy, settings.trust_user_header)
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
        return replace(request, user=await self.user_of(http_request), secret=secret, form_key=form_key(secret))

    async def user_of(self, http_request: Request) -> User | None:
        """The user of the session that the head of a request shows, None without one. Raises DatabaseError.

        None also if a trusted proxy has signed another user in meanwhile.
        """
        cookie = http_request.getCookie(COOKIE.encode())
        if cookie is None:
            return None
        digest = digest_of(cookie.decode("latin-1"))
        user = await self._accounts.session(digest, self._expiry_clock())
        named = self._named(http_request)
        if user is not None and named and named.lower() != user.name:
            return None
        if user is not None:
            recognize(http_request)
            self._last_uses.session(digest)
        return user

    def anonymous(self, http_request: Request) -> PageRequest:
        """The request without its session, with a new secret of its own."""
        secret = new_secret()
        origin = self.origin(http_request)
        languages = b",".join(http_request.requestHeaders.getRawHeaders(b"Accept-Language", []))
        zone_name = (http_request.getCookie(ZONE_COOKIE.encode()) or b"").decode("latin-1")
        return PageRequest(
            path=http_request.path.decode("latin-1"),
            fields={text_of(name): text_of(values[-1]) for name, values in (http_request.args or {}).items()},
            now=self._wall_clock(),
            user=None,
            secret=secret,
            form_key=form_key(secret),
            language=wanted_language(languages.decode("latin-1")),
            zone=zone(unquote(zone_name)),
            secure=origin.https,
            address=origin.address,
            prefix=origin.prefix,
            browser=_browser(http_request),
            named=self._named(http_request),
        )

    def _named(self, http_request: Request) -> str:
        """The user whom a trusted proxy has signed in; empty if it names none."""
        return self._front.user(_peer(http_request), fields_of(http_request))

    def origin(self, http_request: Request) -> Origin:
        """Where a request comes from, by its connection and the proxies before lars-web."""
        return self._front.origin(_peer(http_request), http_request.isSecure(), fields_of(http_request))

    async def refusal(self, http_request: Request, request: PageRequest, role: Role | None) -> Answer | None:
        """What to answer instead of the page; None if the user may see it. Raises DatabaseError.

        Args:
            role: what the page needs; None: it is for everybody.
        """
        if role is None:
            return None
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

    def form_refusal(self, request: PageRequest) -> Answer | None:
        """What to answer instead of doing a form; None if it comes from a page that this session opened."""
        if same(request.field("form_key"), request.form_key):
            return None
        return trouble(403, Translatable("This form is too old or not from this console. Go back and reload it."))

    async def begin_session(self, user: str, request: PageRequest) -> Cookie:
        """A new session of a user, as the cookie that holds its secret. Raises DatabaseError."""
        secret, now = new_secret(), int(request.now)
        session = Session(digest_of(secret), user, now, now + self._session_time, now, request.address, request.browser)
        await self._accounts.begin_session(session, self._expiry_clock())
        return Cookie(COOKIE, secret, self._session_time)

    async def signed_in(self, secrets: Collection[str]) -> set[str]:
        """Those of some secrets whose sessions have not ended, at whichever lars-web. Raises DatabaseError."""
        digests = {digest_of(secret): secret for secret in secrets}
        found = await self._accounts.open_sessions(digests.keys(), self._expiry_clock())
        return {digests[digest] for digest in found}

    async def end_session(self, request: PageRequest) -> Cookie:
        """Ends the request's session; the cookie takes its secret from the browser. Raises DatabaseError."""
        await self._accounts.end_session(digest_of(request.secret))
        return Cookie(COOKIE, "", 0)


def local_path(text: str) -> str:
    """A path of this site to go on to, or "/" for anything that might lead elsewhere."""
    return text if re.fullmatch(r"/(?![/\\])[A-Za-z0-9/_.,:?=&%+~-]*", text) else "/"


def local_part(url: str) -> str:
    """The path and query of a URL of this site."""
    parts = urlsplit(url)
    return urlunsplit(("", "", "/" + parts.path.lstrip("/"), parts.query, ""))


def fields_of(http_request: Request) -> Header:
    """The values of the fields of a request's head."""
    return lambda name: [
        value.decode("latin-1") for value in http_request.requestHeaders.getRawHeaders(name.encode("ascii"), [])
    ]


def _peer(http_request: Request) -> str:
    """The address of the connection; empty at a UNIX socket."""
    return str(getattr(http_request.getClientAddress(), "host", ""))


def _browser(http_request: Request) -> str:
    """What the browser calls itself, without what cannot be printed."""
    said = (http_request.requestHeaders.getRawHeaders(b"User-Agent") or [b""])[0].decode("latin-1")
    return "".join(letter for letter in said if letter.isprintable())[:255]


def has_credentials(http_request: Request) -> bool:
    """Whether a request comes with what may be a session or a token."""
    return http_request.getCookie(COOKIE.encode()) is not None or bearer(http_request) is not None


def bearer(http_request: Request) -> str | None:
    """The secret of a request's bearer token (RFC 6750, 2.1); None if it shows none."""
    given = (http_request.requestHeaders.getRawHeaders(b"Authorization") or [b""])[0].decode("utf-8", "replace")
    scheme, _, secret = given.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def recognize(http_request: Request) -> None:
    """Keeps the place of a connection whose client has shown a session or a token."""
    channel = getattr(http_request, "channel", None)  # none once its client has left
    if isinstance(channel, WebChannel):
        channel.recognize()
