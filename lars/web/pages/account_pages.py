"""Accounts: one's own password and tokens, and for admins the users."""

from klein import Klein

from lars.accounts import ROLES
from lars.db.accounts import AccountRefused
from lars.web.auth.access import COOKIE, Door, guard, page
from lars.web.auth.secrets import TOKEN_PREFIX, digest_of, new_secret
from lars.web.language import Said
from lars.web.page_request import Answer, Cookie, Elsewhere, Page, Visit
from lars.web.pages.forms import FormError, parse_password, parse_role, parse_token_name, parse_user
from lars.web.roles import Role


class AccountPages:
    """/account: one's own."""

    app = Klein()
    guard(app)

    def __init__(self, door: Door) -> None:
        self.door = door
        self.console = door.console

    async def _page(
        self, visit: Visit, errors: dict[str, Said] | None = None, token: str = "", status: int = 200
    ) -> Page:
        assert visit.user is not None
        assert visit.role is not None
        everyone = None if visit.may("admin") else visit.user.name
        tokens = await self.console.stores.accounts.tokens(everyone)
        roles = [role for role in ROLES if visit.role.may_be(Role(role))]
        return Page("account.html", {"tokens": tokens, "errors": errors or {}, "token": token, "roles": roles}, status)

    @page(app, "/account")
    async def show(self, visit: Visit) -> Answer:
        return await self._page(visit)

    @page(app, "/account/password", form=True)
    async def change_password(self, visit: Visit) -> Answer:
        assert visit.user is not None
        accounts, name = self.console.stores.accounts, visit.user.name
        attempts, now = self.console.attempts, self.console.reactor.seconds()
        if wait := attempts.wait(f"user {name}", now):
            told = Said("Too many attempts: wait %(n)s seconds, then try again.", n=int(wait) + 1)
            return await self._page(visit, {"old": told}, status=429)
        if not await self.console.passwords.check(visit.user.password, visit.field("old")):
            attempts.failed(f"user {name}", now)
            return await self._page(visit, {"old": Said("This is not your password.")}, status=422)
        try:
            password = parse_password(visit.field("password"), visit.field("again"))
        except FormError as bad:
            return await self._page(visit, bad.errors, status=422)
        await accounts.set_password(visit.actor, name, await self.console.passwords.hash(password), visit.now)
        secret, lasts = new_secret(), int(self.console.settings.session_time)
        await accounts.begin_session(digest_of(secret), name, visit.now, int(visit.now) + lasts)
        return Elsewhere("/account?said=password", (Cookie(COOKIE, secret, lasts),))

    @page(app, "/account/tokens", form=True)
    async def add_token(self, visit: Visit) -> Answer:
        assert visit.user is not None
        try:
            name, role = parse_token_name(visit.field("token")), parse_role(visit.field("role"))
            if not visit.may(role):
                raise FormError(role=Said("A token may not do more than you."))
        except FormError as bad:
            return await self._page(visit, bad.errors, status=422)
        secret = TOKEN_PREFIX + new_secret()
        accounts = self.console.stores.accounts
        await accounts.add_token(visit.actor, digest_of(secret), name, visit.user.name, role, visit.now)
        return await self._page(visit, token=secret)

    @page(app, "/account/tokens/<int:token>/remove", form=True)
    async def remove_token(self, visit: Visit, token: int) -> Answer:
        assert visit.user is not None
        owner = None if visit.may("admin") else visit.user.name
        await self.console.stores.accounts.remove_token(visit.actor, token, owner, visit.now)
        self.console.tokens.forget()
        return Elsewhere("/account?said=token")


class UserPages:
    """/users: for admins."""

    app = Klein()
    guard(app)

    def __init__(self, door: Door) -> None:
        self.door = door
        self.console = door.console

    async def _page(self, visit: Visit, errors: dict[str, Said] | None = None, status: int = 200) -> Page:
        users = await self.console.stores.accounts.users()
        values = {"users": users, "roles": ROLES, "errors": errors or {}, "typed": {"name": visit.field("name")}}
        return Page("users.html", values, status)

    @page(app, "/users", role=Role.ADMIN)
    async def show(self, visit: Visit) -> Answer:
        return await self._page(visit)

    @page(app, "/users", role=Role.ADMIN, form=True)
    async def add(self, visit: Visit) -> Answer:
        try:
            name, role = parse_user(visit.field("name")), parse_role(visit.field("role"))
            password = parse_password(visit.field("password"), visit.field("again"))
            hashed = await self.console.passwords.hash(password)
            await self.console.stores.accounts.add(visit.actor, name, hashed, role, visit.now)
        except FormError as bad:
            return await self._page(visit, bad.errors, 422)
        except AccountRefused as refused:
            return await self._page(visit, {"name": Said("%(text)s", text=refused)}, 422)
        return Elsewhere("/users?said=user")

    @page(app, "/users/<name>/role", role=Role.ADMIN, form=True)
    async def set_role(self, visit: Visit, name: str) -> Answer:
        try:
            await self.console.stores.accounts.set_role(visit.actor, name, parse_role(visit.field("role")), visit.now)
        except FormError as bad:
            return await self._page(visit, {"": bad.errors["role"]}, 422)
        except AccountRefused as refused:
            return await self._page(visit, {"": Said("%(text)s", text=refused)}, 422)
        self.console.tokens.forget()
        return Elsewhere("/users?said=user")

    @page(app, "/users/<name>/remove", role=Role.ADMIN, form=True)
    async def remove(self, visit: Visit, name: str) -> Answer:
        try:
            await self.console.stores.accounts.remove(visit.actor, name, visit.now)
        except AccountRefused as refused:
            return await self._page(visit, {"": Said("%(text)s", text=refused)}, 422)
        self.console.tokens.forget()
        return Elsewhere("/users?said=gone")
