"""Which calls a simulated agent times."""

from twisted.trial.unittest import SynchronousTestCase

from bench.balance.agent_timer import AgentTimer
from lars.agent.module import TIMED_EVERY


class AgentTimerTests(SynchronousTestCase):
    def test_one_call_of_a_host_at_a_time(self) -> None:
        timer = AgentTimer()
        known = [timer.known_cost(1, 5, 0.1 * n, 0.25) for n in range(6)]
        self.assertEqual(known, [0.25, 0.0, 0.0, 0.25, 0.0, 0.0])
        self.assertEqual(timer.known_cost(2, 5, 0.6, 0.5), 0.5)

    def test_so_many_that_each_host_has_one_in_a_while(self) -> None:
        timer = AgentTimer()
        known = [timer.known_cost(n % 5, 5, n * TIMED_EVERY / 50, 1e-9) for n in range(100)]
        self.assertIn(sum(cost > 0 for cost in known), (10, 11))
