"""All users, for admins: their roles, their modules, and signing them out."""

from lars.accounts import ROLES
from lars.db.accounts import AccountRefused
from lars.web.language import Translatable, untranslated
from lars.web.page_request import Answer, Page, PageRequest, Redirect
from lars.web.pages.forms import FormError, parse_password, parse_ranges, parse_role, parse_user
from lars.web.pages.page_set import PageSet, new_app, page
from lars.web.roles import Role


class UserPages(PageSet):
    """/users: for admins (docs/design/web.md, accounts)."""

    app = new_app()

    async def _page(
        self, request: PageRequest, errors: dict[str, Translatable] | None = None, status: int = 200
    ) -> Page:
        users = await self.console.stores.accounts.users()
        typed = {name: request.field(name) for name in ("name", "ranges")}
        values = {"users": users, "roles": ROLES, "errors": errors or {}, "typed": typed}
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
            ranges = parse_ranges(request.field("ranges"))
            password = parse_password(request.field("password"), request.field("again"), name)
            hashed = await self.console.passwords.hash(password)
            await self.console.stores.accounts.add(request.actor, name, hashed, role, request.now, ranges)
        except FormError as bad:
            return await self._page(request, bad.errors, 422)
        except AccountRefused as refused:
            return await self._page(request, {"name": untranslated(refused)}, 422)
        return Redirect("/users?notice=user")

    @page(app, "/users/<name>/role", role=Role.ADMIN, form=True)
    async def set_role(self, request: PageRequest, name: str) -> Answer:
        """Gives a user another role, or other modules to edit."""
        accounts = self.console.stores.accounts
        try:
            role, ranges = parse_role(request.field("role")), parse_ranges(request.field("ranges"))
            await accounts.set_role(request.actor, name, role, request.now, ranges)
        except FormError as bad:
            return await self._page(request, {"": next(iter(bad.errors.values()))}, 422)
        except AccountRefused as refused:
            return await self._page(request, {"": untranslated(refused)}, 422)
        self.console.tokens.forget()
        return Redirect("/users?notice=user")

    @page(app, "/users/<name>/sign-out", role=Role.ADMIN, form=True)
    async def sign_out(self, request: PageRequest, name: str) -> Answer:
        """Ends all sessions of a user."""
        ended = await self.console.stores.accounts.sign_out(request.actor, name, request.now)
        return Redirect(f"/users?notice=ended&n={ended}")

    @page(app, "/users/<name>/remove", role=Role.ADMIN, form=True)
    async def remove(self, request: PageRequest, name: str) -> Answer:
        """Removes a user with their sessions and tokens."""
        try:
            await self.console.stores.accounts.remove(request.actor, name, request.now)
        except AccountRefused as refused:
            return await self._page(request, {"": untranslated(refused)}, 422)
        self.console.tokens.forget()
        return Redirect("/users?notice=gone")
