"""Envoy's rules."""

import random

from twisted.trial.unittest import SynchronousTestCase

from bench.balance.policies.envoy import (
    LeastRequest,
    OutlierDetection,
    PlainOutlierDetection,
    RoundRobinOutlierDetection,
)


class LeastRequestTests(SynchronousTestCase):
    def test_host_with_fewer_calls_under_way_is_chosen(self) -> None:
        policy = LeastRequest([0, 1], random.Random(1), 0.0)
        for _ in range(100):
            policy.choose(0, 0.0)
        self.assertLessEqual(abs(policy.active[0] - policy.active[1]), 6)


class OutlierDetectionTests(SynchronousTestCase):
    def failing(self, policy: OutlierDetection, host: int, calls: int, now: float = 0.0) -> None:
        for _ in range(calls):
            policy.active[host] += 1
            policy.report(host, True, 0.001, now)

    def test_five_failures_in_a_row_eject_one_host_for_thirty_seconds(self) -> None:
        policy = RoundRobinOutlierDetection([0, 1, 2, 3], random.Random(1), 0.0)
        self.failing(policy, 1, 4)
        self.assertEqual(policy.changes, [])
        self.failing(policy, 1, 1)
        self.failing(policy, 2, 5)
        self.assertEqual(policy.changes, [(0.0, 1, True)])
        self.assertEqual({policy.choose(0, 1.0) for _ in range(12)}, {0, 2, 3})
        for second in range(1, 50):
            policy.sweep(float(second))
        self.assertEqual([(host, ejected) for _now, host, ejected in policy.changes], [(1, True), (1, False)])
        self.assertTrue(30 <= policy.changes[1][0] <= 40)

    def test_a_host_in_ten_is_ejected_by_default_and_none_of_fewer(self) -> None:
        for hosts, ejected in ((9, 0), (10, 1), (20, 2)):
            policy = PlainOutlierDetection(list(range(hosts)), random.Random(1), 0.0)
            for host in range(5):
                self.failing(policy, host, 5)
            self.assertEqual(len(policy.changes), ejected)

    def test_outlier_of_five_success_rates_is_ejected_by_the_interval(self) -> None:
        policy = OutlierDetection(list(range(5)), random.Random(1), 0.0)
        for call in range(500):
            policy.active[call % 5] += 1
            policy.report(call % 5, call % 5 == 3 and call % 10 == 3, 0.001, 1.0)
        for second in range(1, 11):
            policy.sweep(float(second))
        self.assertEqual([(host, ejected) for _now, host, ejected in policy.changes], [(3, True)])
