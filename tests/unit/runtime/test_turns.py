"""Long work in short turns: others run between two of them."""

from collections.abc import Generator

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from lars.runtime.turns import at_most, in_turns


class InTurnsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.done: list[int] = []

    def work(self, turns: int) -> Generator[None, None, str]:
        for turn in range(turns):
            self.done.append(turn)
            yield
        return "whole"

    def test_work_goes_on_in_turns_of_the_clock(self) -> None:
        result = Deferred.fromCoroutine(in_turns(self.clock, self.work(2)))
        self.assertEqual(self.done, [0])
        self.assertNoResult(result)
        self.clock.advance(0)
        self.assertEqual(self.done, [0, 1])
        self.assertEqual(self.successResultOf(result), "whole")

    def test_short_work_is_done_at_once(self) -> None:
        self.assertEqual(self.successResultOf(Deferred.fromCoroutine(in_turns(self.clock, self.work(0)))), "whole")

    def test_cancelled_work_ends_at_its_last_yield(self) -> None:
        result = Deferred.fromCoroutine(in_turns(self.clock, self.work(9)))
        result.cancel()
        self.failureResultOf(result)
        self.assertEqual((self.done, self.clock.getDelayedCalls()), ([0], []))


class AtMostTests(SynchronousTestCase):
    def test_what_fires_in_time_is_waited_for_and_what_does_not_is_left(self) -> None:
        for fires in (True, False):
            clock, awaited = Clock(), Deferred[str]()
            waiting = Deferred.fromCoroutine(at_most(clock, 2.0, awaited))
            clock.advance(1.9)
            self.assertNoResult(waiting)
            if fires:
                awaited.callback("done")
            clock.advance(0.2)
            self.assertEqual((self.successResultOf(waiting), clock.getDelayedCalls()), (fires, []))
            if not fires:
                awaited.callback("done")
            self.assertEqual(self.successResultOf(awaited), "done")
