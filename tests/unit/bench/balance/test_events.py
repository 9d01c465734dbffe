"""What happens to the hosts of a real run, and when."""

from twisted.trial.unittest import SynchronousTestCase

from bench.balance.real.events import Event, Plan
from bench.balance.scenario import Fault
from bench.balance.scenarios import Fleet
from bench.balance.server import WELL, Condition

PLAN = Plan(Fleet(2, 1, 0.25), ["killed", "stopped", "slow"], warm=10, fault=20, after=25)


class PlanTests(SynchronousTestCase):
    def test_events_follow_each_other_each_at_another_host_as_long_as_there_are_some(self) -> None:
        self.assertEqual(
            list(PLAN.events()),
            [
                Event("killed", 0, 10, 30, 55),
                Event("stopped", 1, 55, 75, 100),
                Event("slow", 0, 100, 120, 145),
            ],
        )
        self.assertEqual(PLAN.end, 145)

    def test_the_simulator_has_all_events_and_measures_one(self) -> None:
        event = list(PLAN.events())[1]
        scenario = PLAN.scenario(event)
        self.assertEqual((scenario.rate, scenario.end, scenario.agents), (200.0, 145, 1))
        self.assertEqual((scenario.bad, scenario.window, scenario.warm), ([1], (55, 75), 55))
        self.assertEqual(
            scenario.faults,
            [
                Fault(10, 0, Condition(up=False)),
                Fault(30, 0, WELL),
                Fault(55, 1, Condition(hangs=True)),
                Fault(75, 1, WELL),
                Fault(100, 0, Condition(slowness=10.0)),
                Fault(120, 0, WELL),
            ],
        )
