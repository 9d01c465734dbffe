"""What one connection may report in a minute."""

from twisted.trial.unittest import SynchronousTestCase

from lars.reporter.pace import WINDOW, Pace, PaceLimits


class PaceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.pace = Pace(PaceLimits(rows=100, callers=2))

    def test_rows_over_the_limit_wait_for_the_end_of_the_minute(self) -> None:
        self.assertFalse(self.pace.add(99, 1000.0))
        self.assertFalse(self.pace.must_wait(1000.0))
        self.assertTrue(self.pace.add(1, 1030.0))
        self.assertTrue(self.pace.must_wait(1000.0 + WINDOW - 0.1))
        self.assertFalse(self.pace.must_wait(1000.0 + WINDOW))

    def test_a_new_minute_counts_anew(self) -> None:
        self.pace.add(100, 1000.0)
        self.assertFalse(self.pace.add(99, 1000.0 + WINDOW))
        self.assertTrue(self.pace.add(1, 1000.0 + WINDOW))

    def test_steady_rows_below_the_limit_never_wait(self) -> None:
        self.assertFalse(any(self.pace.add(1, float(second)) for second in range(3600)))

    def test_so_many_callers_are_admitted_and_no_further_one(self) -> None:
        self.assertEqual([self.pace.admits(caller) for caller in (1, 2, 1, 3, 2)], [True, True, True, False, True])
