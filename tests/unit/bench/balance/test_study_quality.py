"""The adaptive policy loses few calls; tests/soak has every scenario."""

from twisted.trial.unittest import SynchronousTestCase

from bench.balance.policies.table import policy
from bench.balance.scenarios import Fleet, scenario
from bench.balance.simulation import Simulation
from bench.balance.study import Case, run


class QualityTests(SynchronousTestCase):
    def assert_at_most(self, bar: float, scenario: str, key: str, policy: str = "adaptive") -> None:
        found = run(Case(scenario, Fleet()), policy, 7)[key]
        assert found is not None
        self.assertLessEqual(found, bar)

    def test_dead_host_costs_few_calls_and_is_back_soon(self) -> None:
        self.assert_at_most(0.07, "dead", "lost%")
        self.assert_at_most(12, "dead", "return_s")

    def test_failing_host_is_found_out_and_what_fails_everywhere_is_not_refused(self) -> None:
        self.assert_at_most(0.15, "fail30", "lost%")
        self.assert_at_most(0, "all30", "refused%")

    def test_clients_with_the_cache_do_as_well(self) -> None:
        self.assert_at_most(0.1, "dead", "lost%", "adaptive_cached")
        self.assert_at_most(49, "steady", "p99", "adaptive_cached")

    def test_forger_on_each_machine_ejects_no_host_and_takes_at_most_half_of_its_calls_away(self) -> None:
        what = scenario("steady", Fleet(hosts=3, agents=2, workers=1))
        for name in ("adaptive_forged", "round_robin_forged"):
            result = Simulation(what, policy(name), 7).run()
            self.assertEqual(result.changes, [[], []], name)
            first, *others = (result.hosts.tolist().count(host) for host in range(3))
            self.assertGreater(first, 0.4 * len(result.hosts) / 3, name)
            self.assertEqual(first + sum(others), len(result.hosts), "no call is refused")
