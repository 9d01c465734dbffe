"""Tokens are cached for a few seconds."""

from dataclasses import replace
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from lars.db.accounts import Token
from lars.web.auth.last_uses import LastUses
from lars.web.auth.secrets import TOKEN_PREFIX, digest_of
from lars.web.auth.tokens import AGE, Tokens

SECRET = TOKEN_PREFIX + "x" * 43
NOW = 1_700_000_000.0
TOKEN = Token(1, "scaler", "lea", "editor", 0)


class FakeAccounts:
    """The only table that is read."""

    def __init__(self) -> None:
        self.tokens = {digest_of(SECRET): TOKEN}
        self.asked = 0

    async def token(self, digest: str) -> Token | None:
        self.asked += 1
        return self.tokens.get(digest)


class TokensTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.accounts = FakeAccounts()
        self.now = NOW
        last_uses = LastUses(cast(Any, self.accounts), self.clock, self.clock.seconds)
        self.tokens = Tokens(cast(Any, self.accounts), self.clock.seconds, lambda: self.now, last_uses)

    def of(self, secret: str) -> Token | None:
        return self.successResultOf(Deferred.fromCoroutine(self.tokens.of(secret)))

    def test_token_is_looked_up_once_in_a_while(self) -> None:
        self.assertEqual((self.of(SECRET), self.of(SECRET), self.accounts.asked), (TOKEN, TOKEN, 1))
        self.clock.advance(AGE)
        self.assertEqual((self.of(SECRET), self.accounts.asked), (TOKEN, 2))

    def test_removed_token_ends_when_the_cache_is_emptied_or_old(self) -> None:
        self.of(SECRET)
        self.accounts.tokens.clear()
        self.assertEqual(self.of(SECRET), TOKEN)
        self.tokens.forget()
        self.assertIsNone(self.of(SECRET))

    def test_token_ends_at_its_time_though_it_is_cached(self) -> None:
        self.accounts.tokens[digest_of(SECRET)] = ends = replace(TOKEN, expires_at=int(NOW) + 1)
        self.assertEqual(self.of(SECRET), ends)
        self.accounts.tokens[digest_of(SECRET)] = replace(TOKEN, expires_at=int(NOW))
        self.tokens.forget()
        self.assertIsNone(self.of(SECRET))

    def test_what_cannot_be_a_token_is_not_looked_up(self) -> None:
        for secret in ("", "x" * 43, TOKEN_PREFIX + "x" * 100):
            self.assertIsNone(self.of(secret))
        self.assertEqual(self.accounts.asked, 0)
