"""The calls of a run."""

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from bench.balance.calls import SERVICE_TIMES, draw
from bench.balance.command import SERVICES
from bench.balance.scenarios import Fleet, scenario


class CallsTests(SynchronousTestCase):
    def test_same_seed_draws_the_same_calls_and_another_seed_others(self) -> None:
        what = scenario("steady", Fleet(load=0.1))
        first, again, other = draw(what, 7), draw(what, 7), draw(what, 8)
        for column in ("times", "agents", "keys", "work", "luck"):
            self.assertTrue(np.array_equal(getattr(first, column), getattr(again, column)), column)
            self.assertFalse(np.array_equal(getattr(first, column)[:50], getattr(other, column)[:50]), column)

    def test_calls_fill_the_run_at_the_rate_of_the_load(self) -> None:
        what = scenario("steady", Fleet(hosts=5, workers=4, load=0.5))
        calls = draw(what, 1)
        self.assertApproximates(len(calls.times) / what.end, 1000, 20)
        self.assertTrue(np.all(np.diff(calls.times) >= 0))
        self.assertLess(calls.times[-1], what.end)
        self.assertEqual(set(calls.agents.tolist()), set(range(10)))

    def test_service_times_have_the_mean_one(self) -> None:
        for name, distribution in SERVICE_TIMES.items():
            times = distribution(np.random.default_rng(1), 200_000)
            self.assertApproximates(float(times.mean()), 1.0, 0.02, msg=name)

    def test_command_offers_every_distribution(self) -> None:
        self.assertEqual(SERVICES, tuple(SERVICE_TIMES))

    def test_each_agent_calls_once_in_a_burst(self) -> None:
        calls = draw(scenario("herd", Fleet(agents=20)), 1)
        self.assertEqual(len(calls.times), 30 * 20)
        for burst in range(30):
            inside = (calls.times >= 1 + 10 * burst) & (calls.times <= 1.05 + 10 * burst)
            self.assertEqual(sorted(calls.agents[inside].tolist()), list(range(20)))
