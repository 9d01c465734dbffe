"""Latency: a host that takes longer than the module's calls gets a penalty, which time takes away."""

from twisted.trial.unittest import SynchronousTestCase

from lars.balancing.host import Host
from lars.balancing.latency import Latency, LatencySettings
from lars.balancing.record import Record
from lars.route import HostAddress


class LatencyTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.latency = Latency(LatencySettings())
        self.records = [Record(Host(HostAddress(1, n)), 0.0) for n in (1, 2, 3)]

    def learn(self, rounds: int, *costs: float) -> None:
        for _ in range(rounds):
            for record, cost in zip(self.records, costs, strict=True):
                self.latency.learn(record, cost)

    def penalties(self) -> list[float]:
        return [record.penalty for record in self.records]

    def test_equal_hosts_have_no_penalty(self) -> None:
        self.learn(100, 0.01, 0.01, 0.01)
        self.assertEqual(self.penalties(), [1.0, 1.0, 1.0])
        self.assertAlmostEqual(self.latency.usual, 0.01)

    def test_slow_host_has_one_up_to_the_limit(self) -> None:
        self.learn(100, 0.01, 0.01, 0.1)
        self.assertEqual(self.penalties()[:2], [1.0, 1.0])
        self.assertGreater(self.penalties()[2], 2.0)
        self.assertLessEqual(self.penalties()[2], 4.0)

    def test_nothing_is_concluded_from_few_calls(self) -> None:
        self.learn(10, 0.01, 0.01, 0.1)
        self.assertEqual(self.penalties(), [1.0, 1.0, 1.0])
        self.assertFalse(self.latency.is_slow(100.0))

    def test_penalty_decays_while_no_calls_show_otherwise(self) -> None:
        self.learn(100, 0.01, 0.01, 0.1)
        for _ in range(60):
            self.latency.decay(self.records[2], 1.0)
        self.assertEqual(self.penalties()[2], 1.0)

    def test_slow_failure_is_eight_times_the_usual_and_ten_milliseconds_more(self) -> None:
        self.learn(400, 0.01, 0.01, 0.01)
        self.assertEqual([self.latency.is_slow(cost) for cost in (0.0, 0.079, 0.081)], [False, False, True])
        self.learn(2000, 0.0001, 0.0001, 0.0001)
        self.assertEqual([self.latency.is_slow(cost) for cost in (0.005, 0.02)], [False, True])

    def test_mean_of_some_calls_says_what_as_many_calls_of_that_cost_say(self) -> None:
        other = Latency(LatencySettings())
        record = Record(Host(HostAddress(1, 1)), 0.0)
        for cost, calls in ((0.01, 20), (0.012, 500), (0.02, 900), (0.01, 3), (0.03, 200)):
            for _ in range(calls):
                self.latency.learn(self.records[0], cost)
            other.learn_mean(record, cost, calls)
            for mine, its in (
                (other.usual, self.latency.usual),
                (other.recent, self.latency.recent),
                (record.latency, self.records[0].latency),
            ):
                self.assertLess(abs(mine / its - 1), 0.25, (cost, calls))
