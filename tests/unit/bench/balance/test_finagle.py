"""Finagle's rules."""

import random

from twisted.trial.unittest import SynchronousTestCase

from bench.balance.policies.finagle import Finagle, PeakEwma


class PeakEwmaTests(SynchronousTestCase):
    def test_peak_counts_at_once_and_decays_in_ten_seconds(self) -> None:
        policy = PeakEwma([0, 1], random.Random(1), 0.0)
        for host in (0, 1):
            policy.pending[host] += 1
        policy.report(0, False, 0.010, 0.0)
        policy.report(1, False, 1.0, 0.0)
        self.assertAlmostEqual(policy.load(1, 0.0), 1.0)
        self.assertAlmostEqual(policy.load(1, 10.0), 0.3679, places=4)
        self.assertEqual({policy.choose(0, 10.0) for _ in range(10)}, {0})


class FinagleTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.policy = Finagle([0, 1, 2], random.Random(1), 0.0)

    def call(self, host: int, failed: bool, now: float) -> None:
        self.policy.pending[host] += 1
        self.policy.report(host, failed, 0.010, now)

    def test_five_failures_in_a_row_mark_a_host_dead_and_one_probe_restores_it(self) -> None:
        for _ in range(5):
            self.call(1, True, 0.0)
        self.assertEqual(self.policy.changes, [(0.0, 1, True)])
        self.assertNotIn(1, {self.policy.choose(0, 2.0) for _ in range(50)})
        chosen = [self.policy.choose(0, 6.0) for _ in range(200)]
        self.assertEqual(chosen.count(1), 1)
        self.policy.report(1, False, 0.010, 6.1)
        self.assertEqual(self.policy.changes[1:], [(6.1, 1, False)])

    def test_failed_probe_doubles_the_time(self) -> None:
        for _ in range(5):
            self.call(1, True, 0.0)
        while self.policy.choose(0, 6.0) != 1:
            pass
        self.policy.report(1, True, 0.010, 6.0)
        self.assertNotIn(1, {self.policy.choose(0, 10.9) for _ in range(50)})
        self.assertIn(1, {self.policy.choose(0, 16.0) for _ in range(50)})

    def test_more_than_a_fifth_of_failures_marks_a_host_dead(self) -> None:
        for call in range(12):
            self.call(0, call % 4 == 3, call / 10)
        self.assertEqual([(host, ejected) for _now, host, ejected in self.policy.changes], [(0, True)])
