"""The scenarios."""

from twisted.trial.unittest import SynchronousTestCase

from bench.balance.scenarios import SCENARIOS, Fleet, scenario
from bench.balance.server import WELL, Condition

SIZES = [Fleet(hosts, agents=3, workers=workers) for hosts in (1, 3, 20, 100) for workers in (1, 4)]


class ScenarioTests(SynchronousTestCase):
    def test_every_fault_is_of_a_host_in_the_run_and_ends_with_it_well(self) -> None:
        for name in SCENARIOS:
            for fleet in SIZES:
                what = scenario(name, fleet)
                last: dict[int, Condition] = {}
                for fault in sorted(what.faults, key=lambda fault: fault.at):
                    self.assertTrue(0 <= fault.at < what.end and fault.host < fleet.hosts, name)
                    last[fault.host] = fault.condition
                self.assertEqual(set(last.values()) - {WELL}, set(), name)

    def test_load_is_a_share_of_the_capacity(self) -> None:
        for name in ("steady", "dead", "brownout"):
            self.assertAlmostEqual(scenario(name, Fleet(5, load=0.8, workers=2)).rate, 800)
        hetero = scenario("hetero", Fleet(3, load=0.5, workers=4))
        self.assertEqual(hetero.workers, [2, 4, 8])
        self.assertAlmostEqual(hetero.rate, 700)

    def test_half_of_the_hosts_is_never_overloaded_by_the_death_of_the_others(self) -> None:
        self.assertAlmostEqual(scenario("half", Fleet(4, load=0.8, workers=1)).rate, 0.35 * 400)

    def test_seldom_called_agents_call_once_in_ten_seconds(self) -> None:
        self.assertAlmostEqual(scenario("dead_low", Fleet(5, agents=40, load=0.9)).rate, 4)

    def test_many_hosts_restart_a_twentieth_at_a_time(self) -> None:
        down = [fault for fault in scenario("rolling", Fleet(100)).faults if not fault.condition.up]
        self.assertEqual(len({fault.at for fault in down}), 20)
        self.assertEqual({fault.host for fault in down}, set(range(100)))
