"""Periodic work: on time, one at a time, through its own bugs, and stopped in order."""

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent, LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from lars.runtime.periodic import Periodic


class PeriodicTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.calls: list[float] = []

    def periodic(self) -> Periodic:
        return Periodic("counting", 2.0, lambda: self.calls.append(self.clock.seconds()), self.clock)

    def test_first_call_comes_after_an_interval(self) -> None:
        self.periodic().start()
        self.clock.pump([1.0, 1.0, 1.0, 1.0])
        self.assertEqual(self.calls, [2.0, 4.0])

    def test_first_call_comes_at_once_when_asked_for(self) -> None:
        self.periodic().start(now=True)
        self.clock.advance(2.0)
        self.assertEqual(self.calls, [0.0, 2.0])

    def test_stop_leaves_nothing_in_the_clock(self) -> None:
        periodic = self.periodic()
        periodic.start()
        self.assertTrue(periodic.running)
        self.assertIsNone(self.successResultOf(periodic.stop()))
        self.assertFalse(periodic.running)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_is_harmless_before_the_start_and_twice(self) -> None:
        periodic = self.periodic()
        self.successResultOf(periodic.stop())
        periodic.start()
        self.successResultOf(periodic.stop())
        self.successResultOf(periodic.stop())

    def test_it_can_be_started_again(self) -> None:
        periodic = self.periodic()
        periodic.start()
        self.successResultOf(periodic.stop())
        periodic.start()
        self.clock.advance(2.0)
        self.assertEqual(self.calls, [2.0])

    def test_calls_do_not_overlap_and_stop_waits_for_the_one_under_way(self) -> None:
        answers: list[Deferred[None]] = []

        async def work() -> None:
            answers.append(Deferred())
            await answers[-1]

        periodic = Periodic("working", 1.0, work, self.clock)
        periodic.start()
        self.clock.pump([1.0, 1.0, 1.0])
        self.assertEqual(len(answers), 1)
        answers[0].callback(None)
        self.clock.advance(1.0)
        self.assertEqual(len(answers), 2)
        stops = [periodic.stop(), periodic.stop()]
        for ended in stops:
            self.assertNoResult(ended)
        answers[1].callback(None)
        for ended in stops:
            self.assertIsNone(self.successResultOf(ended))

    def test_a_bug_is_logged_with_its_traceback_and_the_calls_go_on(self) -> None:
        def fail() -> None:
            self.calls.append(self.clock.seconds())
            raise ZeroDivisionError("bug")

        with capturedLogs() as events:
            Periodic("pruning", 1.0, fail, self.clock).start()
            self.clock.pump([1.0, 1.0])
        self.assertEqual(len(self.calls), 2)
        self.assert_one_bug(events)

    def test_a_bug_in_a_coroutine_is_logged_likewise(self) -> None:
        async def fail() -> None:
            self.calls.append(self.clock.seconds())
            raise ZeroDivisionError("bug")

        with capturedLogs() as events:
            Periodic("pruning", 1.0, fail, self.clock).start()
            self.clock.pump([1.0, 1.0])
        self.assertEqual(len(self.calls), 2)
        self.assert_one_bug(events)

    def test_a_bug_that_repeats_is_logged_once_a_minute(self) -> None:
        def fail() -> None:
            raise ZeroDivisionError("bug")

        with capturedLogs() as events:
            Periodic("pruning", 1.0, fail, self.clock).start()
            self.clock.pump([1.0] * 61)
        self.assertEqual([event["times"] for event in events], [1, 60])
        self.flushLoggedErrors(ZeroDivisionError)

    def assert_one_bug(self, events: Sequence[LogEvent]) -> None:
        [event] = events
        self.assertEqual((event["log_level"], event["name"], event["times"]), (LogLevel.critical, "pruning", 1))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
