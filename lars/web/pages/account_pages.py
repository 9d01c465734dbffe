"""Accounts: the user's own password and tokens, and for admins all users."""

from lars.accounts import ROLES
from lars.db.accounts import AccountRefused
from lars.web.auth.secrets import TOKEN_PREFIX, digest_of, new_secret
from lars.web.language import Translatable, untranslated
from lars.web.page_request import Answer, Page, PageRequest, Redirect
from lars.web.pages.forms import FormError, parse_password, parse_role, parse_token_name, parse_user
from lars.web.pages.page_set import PageSet, new_app, page
from lars.web.roles import Role


class AccountPages(PageSet):
    """/account: the user's own (docs/design/web.md, accounts)."""

    app = new_app()

    async def _page(
        self, request: PageRequest, errors: dict[str, Translatable] | None = None, token: str = "", status: int = 200
    ) -> Page:
        assert request.user is not None
        assert request.role is not None
        everyone = None if request.may("admin") else request.user.name
        tokens = await self.console.stores.accounts.tokens(everyone)
        roles = [role for role in ROLES if request.role.may_be(Role(role))]
        return Page("account.html", {"tokens": tokens, "errors": errors or {}, "token": token, "roles": roles}, status)

    @page(app, "/account")
    async def show(self, request: PageRequest) -> Answer:
        """The user's own account and tokens; an admin sees all tokens."""
        return await self._page(request)

    @page(app, "/account/password", form=True)
    async def change_password(self, request: PageRequest) -> Answer:
        """Sets a new password, after the old one is checked, and ends other sessions."""
        assert request.user is not None
        name = request.user.name
        throttle, now = self.console.login_throttle, self.console.reactor.seconds()
        if wait := throttle.wait(f"user {name}", now):
            text = Translatable("Too many attempts: wait %(n)s s, then try again.", n=int(wait) + 1)
            return await self._page(request, {"old": text}, status=429)
        if not await self.console.passwords.check(request.user.password, request.field("old")):
            throttle.failed(f"user {name}", now)
            return await self._page(request, {"old": Translatable("This is not your password.")}, status=422)
        try:
            password = parse_password(request.field("password"), request.field("again"))
        except FormError as bad:
            return await self._page(request, bad.errors, status=422)
        hashed = await self.console.passwords.hash(password)
        await self.console.stores.accounts.set_password(request.actor, name, hashed, request.now)
        return Redirect("/account?notice=password", (await self.access.begin_session(name, request.now),))

    @page(app, "/account/tokens", form=True)
    async def add_token(self, request: PageRequest) -> Answer:
        """Makes a token and shows its secret once."""
        assert request.user is not None
        try:
            name, role = parse_token_name(request.field("token")), parse_role(request.field("role"))
            if not request.may(role):
                raise FormError(role=Translatable("A token may not do more than you."))
        except FormError as bad:
            return await self._page(request, bad.errors, status=422)
        secret = TOKEN_PREFIX + new_secret()
        accounts = self.console.stores.accounts
        await accounts.add_token(request.actor, digest_of(secret), name, request.user.name, role, request.now)
        return await self._page(request, token=secret)

    @page(app, "/account/tokens/<int:token>/remove", form=True)
    async def remove_token(self, request: PageRequest, token: int) -> Answer:
        """Removes a token of the user's own; an admin may remove any."""
        assert request.user is not None
        owner = None if request.may("admin") else request.user.name
        await self.console.stores.accounts.remove_token(request.actor, token, owner, request.now)
        self.console.tokens.forget()
        return Redirect("/account?notice=token")


class UserPages(PageSet):
    """/users: for admins (docs/design/web.md, accounts)."""

    app = new_app()

    async def _page(
        self, request: PageRequest, errors: dict[str, Translatable] | None = None, status: int = 200
    ) -> Page:
        users = await self.console.stores.accounts.users()
        values = {"users": users, "roles": ROLES, "errors": errors or {}, "typed": {"name": request.field("name")}}
        return Page("users.html", values, status)

    @page(app, "/users", role=Role.ADMIN)
    async def show(self, request: PageRequest) -> Answer:
        """All users."""
        return await self._page(request)

    @page(app, "/users", role=Role.ADMIN, form=True)
    async def add(self, request: PageRequest) -> Answer:
        """Adds a user."""
        try:
            name, role = parse_user(request.field("name")), parse_role(request.field("role"))
            password = parse_password(request.field("password"), request.field("again"))
            hashed = await self.console.passwords.hash(password)
            await self.console.stores.accounts.add(request.actor, name, hashed, role, request.now)
        except FormError as bad:
            return await self._page(request, bad.errors, 422)
        except AccountRefused as refused:
            return await self._page(request, {"name": untranslated(refused)}, 422)
        return Redirect("/users?notice=user")

    @page(app, "/users/<name>/role", role=Role.ADMIN, form=True)
    async def set_role(self, request: PageRequest, name: str) -> Answer:
        """Gives a user another role."""
        try:
            await self.console.stores.accounts.set_role(
                request.actor, name, parse_role(request.field("role")), request.now
            )
        except FormError as bad:
            return await self._page(request, {"": bad.errors["role"]}, 422)
        except AccountRefused as refused:
            return await self._page(request, {"": untranslated(refused)}, 422)
        self.console.tokens.forget()
        return Redirect("/users?notice=user")

    @page(app, "/users/<name>/remove", role=Role.ADMIN, form=True)
    async def remove(self, request: PageRequest, name: str) -> Answer:
        """Removes a user with their sessions and tokens."""
        try:
            await self.console.stores.accounts.remove(request.actor, name, request.now)
        except AccountRefused as refused:
            return await self._page(request, {"": untranslated(refused)}, 422)
        self.console.tokens.forget()
        return Redirect("/users?notice=gone")
