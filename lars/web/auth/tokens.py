"""The tokens of programs, cached between requests."""

from collections.abc import Callable

from lars.db.accounts import AccountStore, Token
from lars.runtime.expiry_clock import ExpiryClock
from lars.web.auth.last_uses import LastUses
from lars.web.auth.secrets import TOKEN_PREFIX, digest_of

AGE = 5.0
"""Seconds for which a token that was removed elsewhere may still work."""

CAPACITY = 10_000
"""Tokens that are cached; the oldest go first."""


class Tokens:
    """Tokens by secret; `seconds` is the reactor's clock, `wall_clock` gives Unix seconds."""

    def __init__(
        self,
        accounts: AccountStore,
        seconds: Callable[[], float],
        wall_clock: Callable[[], float],
        last_uses: LastUses,
    ) -> None:
        self._accounts = accounts
        self._seconds = seconds
        self._expiry_clock = ExpiryClock(wall_clock)
        self._last_uses = last_uses
        self._known: dict[str, tuple[float, Token]] = {}

    async def of(self, secret: str) -> Token | None:
        """The token of a secret, None if there is none or it has expired. Raises DatabaseError."""
        token = await self._of(secret)
        if token is None or token.has_expired(self._expiry_clock()):
            return None
        self._last_uses.token(token.id)
        return token

    async def _of(self, secret: str) -> Token | None:
        if not secret.startswith(TOKEN_PREFIX) or len(secret) > 100:
            return None
        digest = digest_of(secret)
        known = self._known.get(digest)
        if known is not None and self._seconds() - known[0] < AGE:
            return known[1]
        token = await self._accounts.token(digest)
        self._known.pop(digest, None)
        if token is not None:
            self._known[digest] = (self._seconds(), token)
            if len(self._known) > CAPACITY:
                del self._known[next(iter(self._known))]
        return token

    def forget(self) -> None:
        """Empties the cache, after a token was removed here."""
        self._known.clear()
