"""The clock of the reactor: monotonic, also for calls that were scheduled before."""

import time

from twisted.internet.base import ReactorBase
from twisted.internet.task import LoopingCall
from twisted.trial.unittest import SynchronousTestCase

from lars.runtime.reactor import schedule_by_monotonic_clock


class StillReactor(ReactorBase):
    """Only the timers of a reactor."""

    def installWaker(self) -> None:
        """Needs no file descriptor."""


class MonotonicClockTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = StillReactor()
        self.calls: list[str] = []

    def test_time_is_monotonic_and_a_second_call_changes_nothing(self) -> None:
        for _ in range(2):
            schedule_by_monotonic_clock(self.reactor)
            self.assertAlmostEqual(self.reactor.seconds(), time.monotonic(), places=0)

    def test_calls_scheduled_before_keep_the_time_that_they_had_left(self) -> None:
        late = self.reactor.callLater(3600, self.calls.append, "late")
        self.reactor.callLater(1800, self.calls.append, "cancelled").cancel()
        self.reactor.timeout()  # these two are in the heap, the next is not yet
        self.reactor.callLater(0, self.calls.append, "now")
        schedule_by_monotonic_clock(self.reactor)
        self.assertAlmostEqual(late.getTime() - time.monotonic(), 3600, places=0)
        self.reactor.runUntilCurrent()
        self.assertEqual(self.calls, ["now"])
        self.assertAlmostEqual(self.reactor.timeout() or 0.0, 3600, places=0)
        late.reset(0)
        self.reactor.runUntilCurrent()
        self.assertEqual(self.calls, ["now", "late"])

    def test_looping_calls_follow_it(self) -> None:
        schedule_by_monotonic_clock(self.reactor)
        loop = LoopingCall(self.calls.append, "turn")
        loop.clock = self.reactor
        loop.start(0.001)
        due = self.reactor.getDelayedCalls()[0].getTime()
        self.assertLess(due, time.monotonic() + 1)
        loop.stop()
