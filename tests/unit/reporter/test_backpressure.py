"""While memory is short, the peers that hold most pause first."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.reporter.backpressure import Backpressure


class BackpressureTests(SynchronousTestCase):
    def test_one_busy_peer_alone_gets_half(self) -> None:
        self.assertFalse(Backpressure(1000, 499).must_pause(499))
        self.assertTrue(Backpressure(1000, 500).must_pause(500))

    def test_the_fuller_the_memory_the_smaller_the_peers_that_pause(self) -> None:
        backpressure = Backpressure(1000, 900)
        self.assertEqual([held for held in (10, 99, 100, 400) if backpressure.must_pause(held)], [100, 400])

    def test_all_peers_pause_when_it_is_full(self) -> None:
        self.assertTrue(Backpressure(1000, 1000).must_pause(0))
        self.assertTrue(Backpressure(1000, 1000).is_full)

    @given(st.integers(1, 10**6), st.integers(0, 2 * 10**6), st.integers(0, 10**6))
    def test_peer_that_may_resume_need_not_pause_at_once(self, limit: int, rows: int, held: int) -> None:
        backpressure = Backpressure(limit, rows)
        self.assertFalse(backpressure.may_resume(held) and backpressure.must_pause(held))

    @given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 50)), max_size=200))
    def test_rows_pass_the_limit_by_at_most_one_report_of_each_peer(self, reports: list[tuple[int, int]]) -> None:
        backpressure, held, paused = Backpressure(300), dict.fromkeys(range(10), 0), set()
        for peer, rows in reports:
            if peer in paused:
                continue
            held[peer] += rows
            backpressure.rows += rows
            if backpressure.must_pause(held[peer]):
                paused.add(peer)
            self.assertLess(backpressure.rows, 300 + 50 * 10)
