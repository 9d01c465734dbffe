"""Steps of a clock that is read from afar: slow answers are none."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.clock_steps import ClockSteps

EPOCH = 1_700_000_000.0


class ClockStepsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.steps = ClockSteps()
        self.assertEqual(self.steps.observe(EPOCH, 10.0, 10.0), 0.0)

    def test_clock_that_goes_on_has_none(self) -> None:
        self.assertEqual(self.steps.observe(EPOCH + 5, 15.0, 15.0), 0.0)

    def test_slow_answer_is_none(self) -> None:
        self.assertEqual(self.steps.observe(EPOCH + 5, 14.0, 19.0), 0.0)
        self.assertEqual(self.steps.observe(EPOCH + 15, 25.0, 25.0), 0.0)

    def test_steps_forward_and_back_are_found_once(self) -> None:
        self.assertEqual(self.steps.observe(EPOCH + 3601, 11.0, 11.0), 3600.0)
        self.assertEqual(self.steps.observe(EPOCH + 3602, 12.0, 12.0), 0.0)
        self.assertEqual(self.steps.observe(EPOCH + 3, 13.0, 13.0), -3600.0)

    def test_step_is_no_larger_than_what_slowness_cannot_explain(self) -> None:
        self.assertEqual(self.steps.observe(EPOCH + 100, 11.0, 12.0), 98.0)

    def test_slewing_adds_up_to_no_step(self) -> None:
        for second in range(1, 1000):
            self.assertLess(self.steps.observe(EPOCH + second * 1.0005, 10.0 + second, 10.0 + second), 0.001)
