"""The user's own account: password, sessions and tokens."""

from lars.accounts import TOKEN_ROLES
from lars.db.accounts import NewToken
from lars.web.auth.secrets import TOKEN_PREFIX, digest_of, new_secret
from lars.web.language import Translatable
from lars.web.page_request import Answer, Page, PageRequest, Redirect
from lars.web.pages.forms import (
    FormError,
    parse_days,
    parse_password,
    parse_ranges,
    parse_token_name,
    parse_token_role,
)
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
        accounts = self.console.stores.accounts
        values = {
            "tokens": await accounts.tokens(None if request.may("admin") else request.user.name),
            "sessions": await accounts.sessions(request.user.name, request.now),
            "this_session": digest_of(request.secret),
            "errors": errors or {},
            "token": token,
            "roles": [role for role in TOKEN_ROLES if request.role.may_be(Role(role))],
            "typed": request.fields if errors else {},
        }
        return Page("account.html", values, status)

    @page(app, "/account")
    async def show(self, request: PageRequest) -> Answer:
        """The user's own account, sessions and tokens; an admin sees all tokens."""
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
            password = parse_password(request.field("password"), request.field("again"), name)
        except FormError as bad:
            return await self._page(request, bad.errors, status=422)
        hashed = await self.console.passwords.hash(password)
        await self.console.stores.accounts.set_password(request.actor, name, hashed, request.now)
        return Redirect("/account?notice=password", (await self.access.begin_session(name, request),))

    @page(app, "/account/tokens", form=True)
    async def add_token(self, request: PageRequest) -> Answer:
        """Makes a token and shows its secret once."""
        assert request.user is not None
        try:
            name, role = parse_token_name(request.field("token")), parse_token_role(request.field("role"))
            if not request.may(role):
                raise FormError(role=Translatable("A token may not do more than you."))
            ranges, days = parse_ranges(request.field("ranges")), parse_days(request.field("days"))
        except FormError as bad:
            return await self._page(request, bad.errors, status=422)
        secret = TOKEN_PREFIX + new_secret()
        ends = int(request.now) + days * 86_400 if days else 0
        token = NewToken(digest_of(secret), name, request.user.name, role, ranges, ends)
        await self.console.stores.accounts.add_token(request.actor, token, request.now)
        return await self._page(request, token=secret)

    @page(app, "/account/tokens/<int:token>/remove", form=True)
    async def remove_token(self, request: PageRequest, token: int) -> Answer:
        """Removes a token of the user's own; an admin may remove any."""
        assert request.user is not None
        owner = None if request.may("admin") else request.user.name
        await self.console.stores.accounts.remove_token(request.actor, token, owner, request.now)
        self.console.tokens.forget()
        return Redirect("/account?notice=token")

    @page(app, "/account/sessions/<digest>/end", form=True)
    async def end_session(self, request: PageRequest, digest: str) -> Answer:
        """Signs one browser of the user's own out."""
        assert request.user is not None
        await self.console.stores.accounts.sign_out(request.actor, request.user.name, request.now, digest)
        return Redirect("/account?notice=session")

    @page(app, "/account/sessions/end", form=True)
    async def end_sessions(self, request: PageRequest) -> Answer:
        """Signs the user out everywhere, here too."""
        assert request.user is not None
        await self.console.stores.accounts.sign_out(request.actor, request.user.name, request.now)
        self.console.live.end_session(request.secret)
        return Redirect("/sign-in?notice=out", (await self.access.end_session(request),))
