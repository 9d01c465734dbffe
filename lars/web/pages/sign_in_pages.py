"""Signing in and out, and the one-time link by which the first admin's password is set."""

from klein import Klein

from lars.accounts import BadAccount, user_name
from lars.web.auth.access import COOKIE, Door, NotFound, guard, local_path, page
from lars.web.auth.secrets import digest_of, new_secret, same
from lars.web.language import Said
from lars.web.page_request import Answer, Cookie, Elsewhere, Page, Visit
from lars.web.pages.forms import FormError, parse_password, parse_user


class SignInPages:
    """/sign-in, /sign-out and /setup/SECRET. `setup_secret` is the link's; empty when there are users."""

    app = Klein()
    guard(app)

    def __init__(self, door: Door) -> None:
        self.door = door
        self.console = door.console
        self.setup_secret = ""

    @page(app, "/sign-in", role=None)
    async def show(self, visit: Visit) -> Answer:
        if not await self.door.is_set_up():
            return Page("not_set_up.html", status=403)
        if visit.user is not None:
            return Elsewhere(local_path(visit.field("next")))
        return self._form(visit, {})

    def _form(self, visit: Visit, errors: dict[str, Said], status: int = 200) -> Page:
        values = {"errors": errors, "name": visit.field("name"), "next": local_path(visit.field("next"))}
        return Page("sign_in.html", values, status)

    @page(app, "/sign-in", role=None, form=True)
    async def sign_in(self, visit: Visit) -> Answer:
        if not await self.door.is_set_up():
            return Page("not_set_up.html", status=403)
        name = _name(visit.field("name"))
        attempts, now = self.console.attempts, self.console.reactor.seconds()
        address, account = f"ip {visit.address}", f"user {name}"
        if wait := max(attempts.wait(key, now) for key in (address, account)):
            told = Said("Too many attempts: wait %(n)s seconds, then try again.", n=int(wait) + 1)
            return self._form(visit, {"": told}, 429)
        for key in (address, account):
            attempts.failed(key, now)  # before anything is waited for, so that many at once do not slip through
        user = await self.console.stores.accounts.user(name)
        if not await self.console.passwords.check(user.password if user else None, visit.field("password")):
            return self._form(visit, {"": Said("There is no user of this name with this password.")}, 403)
        attempts.forgive(address)
        attempts.succeeded(account)
        return Elsewhere(local_path(visit.field("next")), (await self.begin_session(name, visit),))

    async def begin_session(self, name: str, visit: Visit) -> Cookie:
        """A new session of a user, as the cookie that holds its secret."""
        secret, lasts = new_secret(), int(self.console.settings.session_time)
        await self.console.stores.accounts.begin_session(digest_of(secret), name, visit.now, int(visit.now) + lasts)
        return Cookie(COOKIE, secret, lasts)

    @page(app, "/sign-out", role=None, form=True)
    async def sign_out(self, visit: Visit) -> Answer:
        await self.console.stores.accounts.end_session(digest_of(visit.secret))
        return Elsewhere("/sign-in?said=out", (Cookie(COOKIE, "", 0),))

    @page(app, "/setup/<secret>", role=None)
    async def show_setup(self, _visit: Visit, secret: str) -> Answer:
        await self._check_link(secret)
        return Page("setup.html", {"errors": {}, "name": "admin", "secret": secret})

    @page(app, "/setup/<secret>", role=None, form=True)
    async def set_up(self, visit: Visit, secret: str) -> Answer:
        await self._check_link(secret)
        try:
            name = parse_user(visit.field("name"))
            password = parse_password(visit.field("password"), visit.field("again"))
        except FormError as bad:
            values = {"errors": bad.errors, "name": visit.field("name"), "secret": secret}
            return Page("setup.html", values, 422)
        hashed = await self.console.passwords.hash(password)
        await self.console.stores.accounts.add_first_admin(name, hashed, visit.now)
        self.setup_secret = ""
        return Elsewhere("/", (await self.begin_session(name, visit),))

    async def _check_link(self, secret: str) -> None:
        if await self.door.is_set_up():
            raise NotFound("this link has been used: sign in, or ask an admin for an account")
        if not self.setup_secret or not same(secret, self.setup_secret):
            raise NotFound("this is not the link that lars-web printed at its last start: look into its log")


def _name(text: str) -> str:
    """The name of the user that is meant; empty, which nobody is called, if nobody can be called so."""
    try:
        return user_name(text)
    except BadAccount:
        return ""
