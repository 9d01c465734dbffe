"""Last uses are written once a minute each, and never while a request waits."""

from collections.abc import Collection
from typing import Any, cast

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from lars.db.engine import DatabaseAway
from lars.web.auth.last_uses import AGAIN, MOST, TICK, LastUses


class FakeAccounts:
    """Notes what is written, unless it is away."""

    def __init__(self) -> None:
        self.written: list[tuple[list[int], list[str], float]] = []
        self.away = False

    async def record_uses(self, tokens: Collection[int], sessions: Collection[str], now: float) -> None:
        if self.away:
            raise DatabaseAway("gone")
        self.written.append((list(tokens), list(sessions), now))


class LastUsesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.accounts = FakeAccounts()
        self.uses = LastUses(cast(Any, self.accounts), self.clock, lambda: 1000 + self.clock.seconds())
        self.uses.start()

    def tearDown(self) -> None:
        self.successResultOf(self.uses.stop())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_uses_of_a_moment_are_one_write(self) -> None:
        for _ in range(3):
            self.uses.token(2)
            self.uses.token(1)
            self.uses.session("digest")
        self.clock.advance(TICK)
        self.assertEqual(self.accounts.written, [([1, 2], ["digest"], 1001.0)])

    def test_nothing_is_written_where_nothing_was_used(self) -> None:
        self.clock.pump([TICK] * 3)
        self.assertEqual(self.accounts.written, [])

    def test_use_is_written_again_after_a_minute(self) -> None:
        for _ in range(int(AGAIN / TICK) + 2):
            self.uses.token(1)
            self.clock.advance(TICK)
        self.assertEqual([now for _tokens, _sessions, now in self.accounts.written], [1001.0, 1001.0 + AGAIN + TICK])

    def test_database_that_is_away_costs_a_use_and_no_more(self) -> None:
        self.accounts.away = True
        self.uses.token(1)
        self.clock.advance(TICK)
        self.accounts.away = False
        self.uses.token(2)
        self.clock.advance(TICK)
        self.assertEqual(self.accounts.written, [([2], [], 1002.0)])

    def test_uses_that_wait_are_limited(self) -> None:
        for token in range(MOST + 5):
            self.uses.token(token)
        self.clock.advance(TICK)
        self.assertEqual(len(self.accounts.written[0][0]), MOST)
