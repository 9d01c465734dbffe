"""The event loop."""

import random
from collections.abc import Sequence

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from bench.balance.policies.simple import PlainRoundRobin, Random
from bench.balance.policies.table import OTHERS, policy
from bench.balance.policy import REFUSED_BY_POLICY, SimulatedPolicy
from bench.balance.scenario import Fault, Scenario
from bench.balance.server import FAILED, NETWORK, OK, REFUSAL, REFUSED, WELL, Condition
from bench.balance.simulation import Simulation


class Recorder(SimulatedPolicy):
    """Calls the host that joined last, and records what it is given."""

    def __init__(self, hosts: Sequence[int], rng: random.Random, now: float) -> None:
        super().__init__(hosts, rng, now)
        self.chosen: list[tuple[int, float]] = []
        self.reports: list[tuple[bool, float, float]] = []
        self.sweeps: list[float] = []
        self.updates: list[tuple[list[int], float]] = []

    def choose(self, key: int, now: float) -> int:
        self.chosen.append((key, now))
        return self.hosts[-1]

    def report(self, host: int, failed: bool, cost: float, now: float) -> None:
        self.reports.append((failed, cost, now))

    def sweep(self, now: float) -> None:
        self.sweeps.append(now)

    def update(self, hosts: Sequence[int], now: float) -> None:
        super().update(hosts, now)
        self.updates.append((list(hosts), now))


class Refusing(SimulatedPolicy):
    """Lets no call be made."""

    def choose(self, key: int, now: float) -> int:
        return REFUSED_BY_POLICY


class SimulationTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.scenario = Scenario(
            "test",
            agents=1,
            rate=100.0,
            end=10.0,
            workers=[4, 4, 4],
            faults=[Fault(4.0, 2, Condition(up=False)), Fault(6.0, 2, WELL)],
            joins=[(2.0, 2)],
        )

    def recorded(self, with_cost: bool = True) -> Recorder:
        made: list[Recorder] = []

        def new(hosts: Sequence[int], rng: random.Random, now: float) -> Recorder:
            made.append(Recorder(hosts, rng, now))
            return made[-1]

        self.result = Simulation(self.scenario, new, 1, with_cost).run()
        return made[0]

    def test_fault_changes_what_happens_to_calls_from_then_on(self) -> None:
        self.recorded()
        times, outcomes = self.result.times, self.result.outcomes
        during = (times >= 4.0) & (times < 6.0)
        self.assertEqual(set(outcomes[during].tolist()), {FAILED})
        self.assertEqual(set(outcomes[~during].tolist()), {OK})
        self.assertEqual(set(self.result.costs[during].tolist()), {REFUSAL})
        self.assertTrue(np.all(self.result.costs >= NETWORK))

    def test_host_that_joins_is_in_the_route_from_then_on(self) -> None:
        policy = self.recorded()
        self.assertEqual(policy.updates, [([0, 1, 2], 2.0)])
        self.assertEqual(set(self.result.hosts[self.result.times < 2.0].tolist()), {1})
        self.assertEqual(set(self.result.hosts[self.result.times >= 2.0].tolist()), {2})

    def test_calls_are_reported_when_they_end_with_their_cost(self) -> None:
        policy = self.recorded()
        ends = sorted(zip(self.result.times + self.result.costs, self.result.costs, strict=True))
        for (failed, cost, now), (end, expected) in zip(policy.reports, ends, strict=False):
            self.assertAlmostEqual(now, end)
            self.assertAlmostEqual(cost, expected)
            self.assertEqual(failed, cost == REFUSAL)
        self.assertGreater(len(policy.reports), 900)

    def test_without_cost_policies_get_none_and_callers_see_the_same(self) -> None:
        self.recorded()
        seen = self.result.costs
        policy = self.recorded(with_cost=False)
        self.assertEqual({cost for _failed, cost, _now in policy.reports}, {0.0})
        self.assertTrue(np.array_equal(self.result.costs, seen))

    def test_without_cost_a_policy_whose_agent_times_calls_gets_the_costs_of_some(self) -> None:
        self.patch(Recorder, "times_calls", True)
        policy = self.recorded(with_cost=False)
        known = [cost for _failed, cost, _now in policy.reports if cost]
        self.assertTrue(0 < len(known) < len(policy.reports))
        self.assertLessEqual(set(known), set(self.result.costs.tolist()))

    def test_policies_are_swept_once_a_second(self) -> None:
        self.assertEqual(self.recorded().sweeps, [float(second) for second in range(1, 10)])

    def test_policies_get_the_same_calls(self) -> None:
        results = [Simulation(self.scenario, new, 3).run() for new in (PlainRoundRobin, Random)]
        for column in ("times", "agents"):
            self.assertTrue(np.array_equal(getattr(results[0], column), getattr(results[1], column)))
        policy = self.recorded()
        self.assertEqual([now for _key, now in policy.chosen], self.result.times.tolist())
        self.assertGreater(len({key for key, _now in policy.chosen}), 500)

    def test_call_that_the_policy_refuses_goes_nowhere(self) -> None:
        result = Simulation(self.scenario, Refusing, 1).run()
        self.assertEqual(set(result.outcomes.tolist()), {REFUSED})
        self.assertEqual(set(result.hosts.tolist()), {-1})

    def test_same_seed_gives_the_same_result_for_every_policy(self) -> None:
        for name in (*OTHERS, "classic"):
            first, again = (Simulation(self.scenario, policy(name), 2).run() for _ in range(2))
            self.assertTrue(np.array_equal(first.hosts, again.hosts), name)
            self.assertEqual(first.changes, again.changes)
