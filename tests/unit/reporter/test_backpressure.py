"""Memory that is short: those that hold most wait first."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.reporter.backpressure import Backpressure


class BackpressureTests(SynchronousTestCase):
    def test_one_busy_peer_alone_gets_half(self) -> None:
        self.assertFalse(Backpressure(1000, 499).must_wait(499))
        self.assertTrue(Backpressure(1000, 500).must_wait(500))

    def test_the_fuller_the_smaller_are_those_that_wait(self) -> None:
        pressure = Backpressure(1000, 900)
        self.assertEqual([held for held in (10, 99, 100, 400) if pressure.must_wait(held)], [100, 400])

    def test_when_it_is_full_all_wait(self) -> None:
        self.assertTrue(Backpressure(1000, 1000).must_wait(0))
        self.assertTrue(Backpressure(1000, 1000).is_full)

    @given(st.integers(1, 10**6), st.integers(0, 2 * 10**6), st.integers(0, 10**6))
    def test_who_may_resume_need_not_wait_at_once(self, most: int, rows: int, held: int) -> None:
        pressure = Backpressure(most, rows)
        self.assertFalse(pressure.may_resume(held) and pressure.must_wait(held))

    @given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 50)), max_size=200))
    def test_rows_never_pass_the_limit_by_more_than_one_report(self, reports: list[tuple[int, int]]) -> None:
        pressure, held, waiting = Backpressure(300), dict.fromkeys(range(10), 0), set()
        for peer, rows in reports:
            if peer in waiting:
                continue
            held[peer] += rows
            pressure.rows += rows
            if pressure.must_wait(held[peer]):
                waiting.add(peer)
            self.assertLess(pressure.rows, 300 + 50 * 10)
