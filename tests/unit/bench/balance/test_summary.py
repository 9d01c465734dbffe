"""What callers noticed of one event, from results that are written by hand."""

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from bench.balance.metrics import Numbers
from bench.balance.real.events import Plan
from bench.balance.real.summary import summarize
from bench.balance.scenarios import Fleet
from bench.balance.server import FAILED, OK, REFUSED, TIMED_OUT
from bench.balance.simulation import Result


class SummaryTests(SynchronousTestCase):
    """Two hosts, of which host 0 has a fault from 10 s to 20 s; ten calls a second, in turn, until 32 s."""

    def setUp(self) -> None:
        self.plan = Plan(Fleet(2, 1, 0.05, 1), ["killed"], warm=10, fault=10, after=12)
        self.times = np.arange(0.0, 40.0, 0.1) + 1e-6
        count = len(self.times)
        self.hosts = np.arange(count) % 2
        self.outcomes = np.full(count, OK)
        self.costs = np.full(count, 0.010)

    def numbers(self, *changes: tuple[float, int, bool]) -> Numbers:
        (event,) = self.plan.events()
        agents = np.zeros(len(self.times), dtype=np.int64)
        result = Result(self.times, agents, self.hosts, self.outcomes, self.costs, [list(changes)], 0.0)
        return summarize(self.plan.scenario(event), event, result)

    def test_only_calls_from_the_begin_of_the_fault_to_the_next_event_count(self) -> None:
        self.outcomes[self.times < 10] = FAILED
        self.outcomes[self.times > 32] = FAILED
        numbers = self.numbers()
        self.assertEqual((numbers["calls"], numbers["lost%"]), (220, 0.0))

    def test_calls_that_fail_time_out_or_reach_no_host_are_lost(self) -> None:
        self.outcomes[100:103] = [FAILED, TIMED_OUT, REFUSED]
        self.assertEqual(self.numbers()["lost%"], round(100 * 3 / 220, 3))

    def test_latencies_are_of_calls_to_hosts(self) -> None:
        self.costs[100:200] = 0.020
        self.costs[200], self.outcomes[200] = 0.0, REFUSED
        numbers = self.numbers()
        self.assertEqual((numbers["p50"], numbers["p99"]), (10.0, 20.0))

    def test_failures_are_split_by_the_ejection(self) -> None:
        self.outcomes[[100, 102, 104, 160]] = FAILED
        numbers = self.numbers((10.45, 0, True), (22.0, 0, False))
        self.assertEqual((numbers["failed_until_ejected"], numbers["failed_after"]), (3, 1))
        self.assertEqual(numbers["ejected_s"], 0.45)

    def test_a_host_that_is_not_ejected_has_no_such_numbers(self) -> None:
        numbers = self.numbers((5.0, 0, True), (12.0, 1, True))
        names = ("failed_until_ejected", "failed_after", "ejected_s")
        self.assertEqual([numbers[name] for name in names], [None] * 3)

    def test_the_share_is_back_when_it_is_four_fifths_of_an_equal_one(self) -> None:
        away = (self.times > 10) & (self.times < 25)
        self.hosts[away] = 1
        self.assertEqual(self.numbers()["return_s"], 5.0)
        self.hosts[self.times > 10] = 1
        self.assertIsNone(self.numbers()["return_s"])
