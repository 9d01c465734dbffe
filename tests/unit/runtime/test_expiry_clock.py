"""The time by which things expire: steps forward are left out."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from lars.runtime.expiry_clock import ExpiryClock


class ExpiryClockTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.monotonic = Clock()
        self.step = 1_700_000_000.0
        self.clock = ExpiryClock(lambda: self.monotonic.seconds() + self.step, self.monotonic.seconds)

    def test_it_goes_on_with_the_wall_clock(self) -> None:
        self.monotonic.advance(60)
        self.assertEqual(self.clock(), 1_700_000_060.0)

    def test_step_forward_does_not_move_it(self) -> None:
        self.step += 86_400
        self.monotonic.advance(60)
        self.assertEqual(self.clock(), 1_700_000_060.0)

    def test_it_is_never_ahead_of_the_wall_clock(self) -> None:
        self.step -= 3600
        self.monotonic.advance(60)
        self.assertEqual(self.clock(), 1_699_996_460.0)
        self.step += 3600
        self.assertEqual(self.clock(), 1_700_000_060.0)
