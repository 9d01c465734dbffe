"""The checks of an agent as time goes by, on a Clock."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from lars.agent.health.check import PASSED, Check, Outcome
from lars.agent.health.checker import MAX_UNDER_WAY, HealthChecker
from lars.route import HostAddress
from tests.unit.agent.health.health_events import REFUSED, CheckingAgent


class CheckerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.agent = CheckingAgent("1.1 health_check.when=always", rate=1000.0)
        self.started: list[tuple[float, HostAddress]] = []
        self.under_way: list[Deferred[Outcome]] = []
        self.cancelled = 0
        self.checker = HealthChecker(self.agent.health, self.probe, self.clock)

    def probe(self, _check: Check, target: HostAddress) -> Deferred[Outcome]:
        def cancel(_checking: Deferred[Outcome]) -> None:
            self.cancelled += 1

        self.started.append((self.clock.seconds(), target))
        self.under_way.append(Deferred(cancel))
        return self.under_way[-1]

    def run_for(self, seconds: int, outcome: Outcome | None = None) -> None:
        for _ in range(seconds):
            for _ in range(20):
                self.clock.advance(0.05)
                while outcome is not None and self.under_way:
                    self.under_way.pop().callback(outcome)
            self.checker.look(self.agent.directory.modules.values())

    def test_nothing_is_scheduled_while_nothing_is_to_be_checked(self) -> None:
        self.run_for(3)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_each_host_is_checked_at_its_interval(self) -> None:
        self.agent.module(1, 2, 3)
        self.run_for(60, PASSED)
        self.assertLessEqual(abs(len(self.started) - 36), 5)

    def test_no_second_check_of_a_host_while_one_is_under_way(self) -> None:
        self.agent.module(1, 2, 3)
        self.run_for(60)
        self.assertEqual(len(self.started), 3)

    def test_checks_under_way_are_bounded(self) -> None:
        self.agent.module(*range(1, 401))
        self.run_for(30)
        self.assertEqual(len(self.started), MAX_UNDER_WAY)
        self.run_for(30, REFUSED)
        self.assertEqual(len({target for _at, target in self.started}), 400)

    def test_stop_cancels_what_is_under_way_and_leaves_nothing_scheduled(self) -> None:
        self.agent.module(1, 2, 3)
        self.run_for(10)
        ended = self.checker.stop()
        self.successResultOf(ended)
        self.assertEqual(self.cancelled, 3)
        self.checker.look(self.agent.directory.modules.values())
        self.assertEqual((self.clock.getDelayedCalls(), self.agent.health.outcomes.total()), ([], 0))

    def test_bug_in_a_probe_is_logged_once_and_the_checks_go_on(self) -> None:
        self.agent.module(1, 2, 3)
        self.run_for(10)
        for checking in self.under_way:
            checking.errback(ZeroDivisionError("a bug"))
        self.under_way.clear()
        self.run_for(20, PASSED)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.agent.health.outcomes["error"], 3)
        self.assertGreater(len(self.started), 6)
