"""Signing in and out, and the one-time link by which the first admin's password is set."""

from lars.accounts import BadAccount, user_name
from lars.web.auth.access import local_path
from lars.web.auth.secrets import same
from lars.web.console import Console
from lars.web.language import Translatable
from lars.web.page_request import Answer, Page, PageRequest, Redirect
from lars.web.pages.forms import FormError, parse_password, parse_user
from lars.web.pages.page_set import NotFound, PageSet, new_app, page


class SignInPages(PageSet):
    """/sign-in, /sign-out and /setup/SECRET (docs/design/web.md, access).

    `setup_secret` is that of the link, empty once there are users.
    """

    app = new_app()

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.setup_secret = ""

    @page(app, "/sign-in", role=None)
    async def show(self, request: PageRequest) -> Answer:
        """The form for signing in."""
        if not await self.access.is_set_up():
            return Page("not_set_up.html", status=403)
        if request.user is not None:
            return Redirect(local_path(request.field("next")))
        return self._form(request, {})

    def _form(self, request: PageRequest, errors: dict[str, Translatable], status: int = 200) -> Page:
        values = {"errors": errors, "name": request.field("name"), "next": local_path(request.field("next"))}
        return Page("sign_in.html", values, status)

    @page(app, "/sign-in", role=None, form=True)
    async def sign_in(self, request: PageRequest) -> Answer:
        """Begins a session, unless the password is wrong or too many attempts came before."""
        if not await self.access.is_set_up():
            return Page("not_set_up.html", status=403)
        name = _name(request.field("name"))
        throttle, now = self.console.login_throttle, self.console.reactor.seconds()
        address, account = f"ip {request.address}", f"user {name}"
        if wait := max(throttle.wait(key, now) for key in (address, account)):
            text = Translatable("Too many attempts: wait %(n)s seconds, then try again.", n=int(wait) + 1)
            return self._form(request, {"": text}, 429)
        for key in (address, account):
            throttle.failed(key, now)  # before the first await, so that attempts in parallel count too
        user = await self.console.stores.accounts.user(name)
        if not await self.console.passwords.check(user.password if user else None, request.field("password")):
            return self._form(request, {"": Translatable("There is no user of this name with this password.")}, 403)
        throttle.forgive(address)
        throttle.succeeded(account)
        return Redirect(local_path(request.field("next")), (await self.access.begin_session(name, request.now),))

    @page(app, "/sign-out", role=None, form=True)
    async def sign_out(self, request: PageRequest) -> Answer:
        """Ends the session."""
        return Redirect("/sign-in?notice=out", (await self.access.end_session(request),))

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
            password = parse_password(request.field("password"), request.field("again"))
        except FormError as bad:
            values = {"errors": bad.errors, "name": request.field("name"), "secret": secret}
            return Page("setup.html", values, 422)
        hashed = await self.console.passwords.hash(password)
        await self.console.stores.accounts.add_first_admin(name, hashed, request.now)
        self.setup_secret = ""
        return Redirect("/", (await self.access.begin_session(name, request.now),))

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
