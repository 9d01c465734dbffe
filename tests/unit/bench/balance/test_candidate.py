"""The reference policy."""

import random

from twisted.trial.unittest import SynchronousTestCase

from bench.balance.policies.candidate import Candidate


class CandidateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.policy = Candidate([0, 1, 2, 3], random.Random(1), 0.0)
        self.now = 0.0

    def run_calls(self, calls: int, failing: set[int]) -> list[int]:
        """The hosts of calls that take 10 ms one after the other."""
        hosts = []
        for _ in range(calls):
            host = self.policy.choose(0, self.now)
            self.now += 0.010
            if host >= 0:
                self.policy.report(host, host in failing, 0.010, self.now)
            hosts.append(host)
            if len(hosts) % 100 == 0:
                self.policy.sweep(self.now)
        return hosts

    def test_equal_hosts_take_turns(self) -> None:
        hosts = self.run_calls(400, set())
        self.assertEqual([hosts[:4].count(host) for host in range(4)], [1] * 4)
        self.assertEqual([hosts.count(host) for host in range(4)], [100] * 4)

    def test_host_that_fails_alone_is_ejected_soon_probed_seldom_and_restored(self) -> None:
        self.run_calls(100, set())
        lost = self.run_calls(1000, {2}).count(2)
        self.assertLessEqual(lost, 8)
        self.assertEqual([(host, ejected) for _now, host, ejected in self.policy.changes], [(2, True)])
        self.run_calls(3000, set())
        self.assertEqual([(host, ejected) for _now, host, ejected in self.policy.changes][1:], [(2, False)])

    def test_failures_of_all_hosts_eject_nobody_and_refuse_nothing(self) -> None:
        self.run_calls(100, set())
        hosts = self.run_calls(1000, {0, 1, 2, 3})
        self.assertNotIn(-1, hosts)
        self.assertLessEqual(len(self.policy.changes), 1)
