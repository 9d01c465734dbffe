"""A fault that repeats is told on change, then at most once an interval, with how often it came."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from lars.runtime.log_limit import LogLimit


class LogLimitTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.limit = LogLimit(self.clock.seconds, 60.0, capacity=3)

    @given(st.floats(0, 1e9), st.floats(0.01, 1e6))
    def test_first_time_is_told_whatever_the_clock_says(self, now: float, interval: float) -> None:
        self.assertEqual(LogLimit(lambda: now, interval).admit("fault"), 1)

    def test_repetitions_are_told_once_an_interval_with_their_number(self) -> None:
        self.assertEqual([self.limit.admit("fault") for _ in range(4)], [1, 0, 0, 0])
        self.clock.advance(59.9)
        self.assertEqual(self.limit.admit("fault"), 0)
        self.clock.advance(0.1)
        self.assertEqual([self.limit.admit("fault"), self.limit.admit("fault")], [5, 0])
        self.clock.advance(60)
        self.assertEqual(self.limit.admit("fault"), 2)

    def test_burst_is_told_and_then_nothing_until_the_interval_is_over(self) -> None:
        limit = LogLimit(self.clock.seconds, 60.0, burst=3)
        self.assertEqual([limit.admit("flap") for _ in range(5)], [1, 1, 1, 0, 0])
        self.clock.advance(60)
        self.assertEqual([limit.admit("flap") for _ in range(4)], [3, 1, 1, 0])

    def test_events_do_not_silence_each_other(self) -> None:
        self.assertEqual([self.limit.admit("a"), self.limit.admit("b"), self.limit.admit(("a", 1))], [1, 1, 1])

    def test_fault_that_was_over_is_told_at_once_when_it_comes_again(self) -> None:
        self.limit.admit("fault")
        self.limit.clear("fault")
        self.limit.clear("never told")
        self.assertEqual(self.limit.admit("fault"), 1)

    def test_memory_is_bounded_by_forgetting_the_oldest(self) -> None:
        for event in "abcd":
            self.limit.admit(event)
        self.assertEqual(self.limit.admit("d"), 0)
        self.assertEqual(self.limit.admit("a"), 1)
