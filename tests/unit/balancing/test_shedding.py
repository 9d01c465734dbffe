"""Shedding: less is admitted in steps while most calls fail by being slow, and more again once they do not."""

from itertools import pairwise

from twisted.trial.unittest import SynchronousTestCase

from lars.balancing.shedding import Shedding, SheddingSettings


class SheddingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.shedding = Shedding(SheddingSettings())

    def interval(self, good: int, failed: int, slow: int, recent: float = 0.01) -> float:
        for number in range(failed):
            self.shedding.failed(number < slow)
        self.shedding.interval(good, recent, 0.01)
        return round(self.shedding.admitted, 4)

    def test_share_falls_in_steps_to_its_floor(self) -> None:
        self.assertEqual([self.interval(2, 8, 8) for _ in range(3)], [0.7, 0.49, 0.343])
        for _ in range(10):
            self.interval(2, 8, 8)
        self.assertEqual(self.shedding.admitted, 0.1)

    def test_failures_that_are_not_slow_shed_nothing(self) -> None:
        self.assertEqual(self.interval(0, 100, 10), 1.0)

    def test_few_calls_decide_nothing_and_count_on(self) -> None:
        self.assertEqual(self.interval(0, 4, 4), 1.0)
        self.assertEqual(self.interval(0, 4, 4), 0.7)

    def test_share_rises_fast_to_what_is_safe_and_slowly_beyond_it(self) -> None:
        for _ in range(7):
            self.interval(2, 8, 8)
        shares = [self.interval(20, 0, 0, recent=0.05) for _ in range(8)]
        ratios = [round(after / before, 2) for before, after in pairwise(shares)]
        self.assertEqual(ratios[:2], [1.5, 1.5])
        self.assertEqual(ratios[-1], 1.05)

    def test_share_rises_fast_while_latencies_are_usual(self) -> None:
        self.interval(2, 8, 8)
        self.assertEqual([self.interval(20, 0, 0) for _ in range(2)], [1.0, 1.0])
