"""Counts are cached, and refreshed in the background."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from lars.web.live.cached_counts import AGE, OLDEST, QUICK, CachedCounts


class CachedCountsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.asked: list[Deferred[int]] = []
        self.counts: CachedCounts[str, int] = CachedCounts(self.count, self.clock.seconds)

    async def count(self, _key: str) -> int:
        self.asked.append(Deferred())
        return await self.asked[-1]

    def answer(self, number: int, took: float = 2 * QUICK) -> None:
        self.clock.advance(took)
        self.asked[-1].callback(number)

    def of(self) -> "Deferred[int]":
        return Deferred.fromCoroutine(self.counts.of("a"))

    def test_old_number_is_shown_while_it_is_counted_again(self) -> None:
        first = self.of()
        self.assertNoResult(first)
        self.answer(1)
        self.assertEqual(self.successResultOf(first), 1)
        self.clock.advance(AGE)
        self.assertEqual(self.successResultOf(self.of()), 1)
        self.assertEqual(self.successResultOf(self.of()), 1)
        self.assertEqual(len(self.asked), 2, "only one counts")
        self.answer(2)
        self.assertEqual(self.successResultOf(self.of()), 2)

    def test_quick_count_is_right_at_once(self) -> None:
        for number in (1, 2):
            count = self.of()
            self.answer(number, took=QUICK / 2)
            self.assertEqual(self.successResultOf(count), number)

    def test_number_that_is_too_old_is_waited_for(self) -> None:
        first = self.of()
        self.answer(1)
        self.successResultOf(first)
        self.clock.advance(OLDEST)
        self.assertNoResult(self.of())
