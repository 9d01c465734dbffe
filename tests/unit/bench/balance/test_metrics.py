"""The numbers of a run, from results that are written by hand."""

from pathlib import Path

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from bench.balance.metrics import EXPLANATIONS, Numbers, measure
from bench.balance.scenario import Scenario
from bench.balance.server import FAILED, OK, REFUSED, TIMED_OUT
from bench.balance.simulation import Result

Change = tuple[float, int, bool]


class MetricsTests(SynchronousTestCase):
    """Two hosts, of which host 0 has a fault from 20 s to 30 s, one agent, ten calls a second, in turn."""

    def setUp(self) -> None:
        self.scenario = Scenario("test", 1, 10.0, 50.0, [1, 1], bad=[0], window=(20.0, 30.0))
        self.times = np.arange(0.0, 50.0, 0.1) + 1e-6
        count = len(self.times)
        self.hosts = np.arange(count) % 2
        self.outcomes = np.full(count, OK)
        self.costs = np.full(count, 0.010)

    def numbers(self, *changes: Change) -> Numbers:
        agents = np.zeros(len(self.times), dtype=np.int64)
        result = Result(self.times, agents, self.hosts, self.outcomes, self.costs, [list(changes)], 0.0)
        return measure(self.scenario, result)

    def between(self, begin: float, end: float) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        return (self.times >= begin) & (self.times < end)

    def test_every_number_is_explained_and_is_there(self) -> None:
        self.assertEqual(list(self.numbers()), list(EXPLANATIONS))

    def test_documentation_has_the_explanations(self) -> None:
        document = (Path(__file__).parents[4] / "docs" / "performance.md").read_text(encoding="utf-8")
        self.assertEqual([key for key, text in EXPLANATIONS.items() if f"| {key} | {text} |" not in document], [])

    def test_losses_are_shares_of_the_calls_after_the_warm_up(self) -> None:
        self.outcomes[self.between(20, 21)] = FAILED
        self.outcomes[self.between(21, 22)] = TIMED_OUT
        self.outcomes[self.between(22, 23)] = REFUSED
        self.outcomes[self.between(0, 5)] = FAILED
        numbers = self.numbers()
        self.assertEqual((numbers["fail%"], numbers["refused%"], numbers["lost%"]), (5.0, 2.5, 7.5))
        self.assertEqual((numbers["lost_fault%"], numbers["lost_late%"], numbers["lost_after%"]), (30.0, 0.0, 0.0))

    def test_late_losses_are_those_of_the_second_half_of_a_short_fault(self) -> None:
        self.outcomes[self.between(25, 30)] = FAILED
        self.assertEqual(self.numbers()["lost_late%"], 100.0)

    def test_latencies_are_in_ms_and_leave_out_calls_that_were_not_made(self) -> None:
        self.costs[self.between(20, 30)] = 0.0
        self.outcomes[self.between(20, 30)] = REFUSED
        self.costs[self.between(40, 42)] = 1.0
        numbers = self.numbers()
        self.assertEqual((numbers["p50"], numbers["p99"], numbers["p99.9"]), (10.0, 1000.0, 1000.0))

    def test_ejection_is_timed_from_the_fault_and_the_calls_until_then_are_counted(self) -> None:
        numbers = self.numbers((12.0, 0, True), (13.0, 0, False), (22.0, 0, True), (33.0, 0, False))
        self.assertEqual((numbers["aside_agents%"], numbers["aside_s"], numbers["aside_calls"]), (100.0, 2.0, 10.0))

    def test_agent_that_ejects_nobody_has_no_time(self) -> None:
        numbers = self.numbers()
        self.assertEqual((numbers["aside_agents%"], numbers["aside_s"], numbers["aside_calls"]), (0.0, None, None))

    def test_share_goes_and_returns_when_it_is_so_over_two_seconds(self) -> None:
        self.hosts[self.between(24, 36)] = 1
        numbers = self.numbers()
        self.assertEqual((numbers["share_gone_s"], numbers["return_s"]), (4.0, 6.0))

    def test_share_that_never_returns_has_no_time(self) -> None:
        self.hosts[self.between(24, 50)] = 1
        self.assertIsNone(self.numbers()["return_s"])

    def test_only_ejections_of_hosts_that_are_well_are_needless(self) -> None:
        numbers = self.numbers((20.0, 0, True), (34.0, 0, False), (40.0, 1, True))
        self.assertEqual(numbers["over_aside%"], round(100 * (4 + 10) / (2 * 40), 2))

    def test_busiest_host_is_among_those_without_a_fault_per_worker(self) -> None:
        self.scenario = Scenario("test", 1, 10.0, 50.0, [1, 1, 2], bad=[0], window=(20.0, 30.0))
        self.hosts = np.arange(len(self.times)) % 4  # 100 calls each for 0, 1 and 2; none is numbered 3
        self.assertEqual(self.numbers()["max/mean"], round(100 / 75, 3))

    def test_bursts_are_compared_with_an_even_spread(self) -> None:
        self.scenario = Scenario("herd", 100, 1.0, 51.0, [1, 1], window=(0.0, 51.0), burst=10.0, warm=0.0)
        self.times = np.repeat([1.0, 11.0, 21.0, 31.0, 41.0], 100)
        self.hosts = np.concatenate([np.zeros(100, dtype=np.int64), np.arange(400) % 2])
        numbers = self.numbers()
        self.assertEqual((numbers["first_burst"], numbers["burst"]), (2.0, 1.2))
