"""Signing in and out, and the one-time link by which the first admin's password is set."""

from contextlib import suppress

from twisted.internet.defer import DeferredLock
from twisted.logger import Logger

from lars.accounts import NO_PASSWORD, BadAccount, user_name
from lars.db.accounts import AccountRefused
from lars.runtime.log_limit import LogLimit
from lars.web.auth.access import local_path
from lars.web.auth.secrets import same
from lars.web.console import Console
from lars.web.language import Translatable
from lars.web.page_request import Answer, Page, PageRequest, Redirect, trouble
from lars.web.pages.forms import FormError, parse_password, parse_user
from lars.web.pages.page_set import NotFound, PageSet, new_app, page
from lars.web.settings import VIEWER

_log = Logger()

FAILURES = 20
"""Lines about failed sign-ins in a minute, in the log and in the audit."""


class SignInPages(PageSet):
    """/sign-in, /sign-out and /setup/SECRET (docs/design/web.md, access).

    `setup_secret` is that of the link, empty once there are users.
    """

    app = new_app()

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.setup_secret = ""
        self._trying: dict[str, DeferredLock] = {}
        self._failures = LogLimit(console.reactor.seconds)
        self._all_failures = LogLimit(console.reactor.seconds, burst=FAILURES)

    @page(app, "/sign-in", role=None)
    async def show(self, request: PageRequest) -> Answer:
        """The form for signing in."""
        if not await self.access.is_set_up():
            return Page("not_set_up.html", status=403)
        if request.user is not None:
            return Redirect(local_path(request.field("next")))
        if request.named and request.field("notice") != "out":
            return await self._sign_in_named(request)
        return self._form(request, {})

    async def _sign_in_named(self, request: PageRequest) -> Answer:
        """Begins a session of the user whom a trusted proxy has signed in (docs/design/web.md, proxies)."""
        name, accounts = _name(request.named), self.console.stores.accounts
        if name and await accounts.user(name) is None and self.console.settings.new_header_users == VIEWER:
            with suppress(AccountRefused):  # another request of theirs was quicker
                await accounts.add("web:proxy", name, NO_PASSWORD, VIEWER, request.now)
        if not name or await accounts.user(name) is None:
            return trouble(
                403,
                Translatable(
                    "The proxy names you %(name)s, and there is no such user here: ask an admin.",
                    name=request.named[:64],
                ),
            )
        return Redirect(local_path(request.field("next")), (await self.access.begin_session(name, request),))

    def _form(self, request: PageRequest, errors: dict[str, Translatable], status: int = 200) -> Page:
        values = {"errors": errors, "name": request.field("name"), "next": local_path(request.field("next"))}
        return Page("sign_in.html", values, status)

    @page(app, "/sign-in", role=None, form=True)
    async def sign_in(self, request: PageRequest) -> Answer:
        """Begins a session, unless the password is wrong or too many attempts came before."""
        if not await self.access.is_set_up():
            return Page("not_set_up.html", status=403)
        name = _name(request.field("name"))
        key = f"{name} at {request.address}"
        lock = self._trying.setdefault(key, DeferredLock())
        await lock.acquire()  # one attempt at a time, so that many at once are limited as if they came in turn
        try:
            return await self._try(request, name, key)
        finally:
            lock.release()
            if not lock.locked:
                self._trying.pop(key, None)

    async def _try(self, request: PageRequest, name: str, key: str) -> Answer:
        throttle, now = self.console.login_throttle, self.console.reactor.seconds()
        if wait := throttle.wait(key, now):
            text = Translatable("Too many attempts: wait %(n)s s, then try again.", n=int(wait) + 1)
            return self._form(request, {"": text}, 429)
        user = await self.console.stores.accounts.user(name)
        if not await self.console.passwords.check(user.password if user else None, request.field("password")):
            throttle.failed(key, now)
            await self._record_failure(request, name, key)
            return self._form(request, {"": Translatable("There is no user of this name with this password.")}, 403)
        throttle.succeeded(key)
        return Redirect(local_path(request.field("next")), (await self.access.begin_session(name, request),))

    async def _record_failure(self, request: PageRequest, name: str, key: str) -> None:
        """Logs and audits failures, at most once a minute for each user and address."""
        times = self._failures.admit(key)
        if not times or not self._all_failures.admit("of all"):
            return
        _log.warn(
            "sign-in of {name!r} from {address} failed ({times} such since the last line)",
            name=name,
            address=request.address,
            times=times,
        )
        await self.console.stores.accounts.record_failed_sign_ins(name, request.address, times, request.now)

    @page(app, "/sign-out", role=None, form=True)
    async def sign_out(self, request: PageRequest) -> Answer:
        """Ends the session."""
        gone = await self.access.end_session(request)
        self.console.live.end_session(request.secret)
        return Redirect("/sign-in?notice=out", (gone,))

    @page(app, "/setup/<secret>", role=None)
    async def show_setup(self, _request: PageRequest, secret: str) -> Answer:
        """The form for the first admin's password."""
        await self._check_link(secret)
        return Page("setup.html", {"errors": {}, "name": "admin", "secret": secret})

    @page(app, "/setup/<secret>", role=None, form=True)
    async def set_up(self, request: PageRequest, secret: str) -> Answer:
        """Adds the first admin and begins a session."""
        await self._check_link(secret)
        try:
            name = parse_user(request.field("name"))
            password = parse_password(request.field("password"), request.field("again"), name)
        except FormError as bad:
            values = {"errors": bad.errors, "name": request.field("name"), "secret": secret}
            return Page("setup.html", values, 422)
        hashed = await self.console.passwords.hash(password)
        await self.console.stores.accounts.add_first_admin(name, hashed, request.now)
        self.setup_secret = ""
        return Redirect("/", (await self.access.begin_session(name, request),))

    async def _check_link(self, secret: str) -> None:
        if await self.access.is_set_up():
            raise NotFound("this link has been used: sign in, or ask an admin for an account")
        if not self.setup_secret or not same(secret, self.setup_secret):
            raise NotFound("this is not the link that lars-web printed at its last start: see its log")


def _name(text: str) -> str:
    """The name of a user in its stored form; empty, which no user has, if it cannot be a name."""
    try:
        return user_name(text)
    except BadAccount:
        return ""
