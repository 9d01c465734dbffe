"""What callers of a simulated host see."""

from twisted.trial.unittest import SynchronousTestCase

from bench.balance.server import FAILED, NETWORK, OK, REFUSAL, TIMED_OUT, Condition, Server


class ServerTests(SynchronousTestCase):
    def call(self, server: Server, now: float = 0.0, work: float = 1.0, luck: float = 0.5) -> tuple[int, float]:
        return server.call(now, work, luck, timeout=1.0)

    def test_calls_beyond_the_workers_wait_for_the_first_that_is_free(self) -> None:
        server = Server(workers=2, mean=0.1, backlog=10)
        costs = [round(self.call(server)[1] - NETWORK, 9) for _ in range(5)]
        self.assertEqual(costs, [0.1, 0.1, 0.2, 0.2, 0.3])
        self.assertAlmostEqual(self.call(server, now=0.3)[1], 0.1 + NETWORK)

    def test_full_backlog_refuses_at_once_until_a_call_has_ended(self) -> None:
        server = Server(workers=1, mean=0.1, backlog=2)
        self.assertEqual([self.call(server)[0] for _ in range(3)], [OK] * 3)
        self.assertEqual(self.call(server), (FAILED, REFUSAL))
        self.assertEqual(self.call(server, now=0.1)[0], OK)

    def test_call_that_was_given_up_is_served_all_the_same(self) -> None:
        server = Server(workers=1, mean=0.1, backlog=10)
        self.assertEqual(self.call(server, work=20.0), (TIMED_OUT, 1.0))
        self.assertAlmostEqual(self.call(server, now=1.5)[1], 0.6 + NETWORK)

    def test_each_condition_shows(self) -> None:
        table = [
            (Condition(up=False), (FAILED, REFUSAL)),
            (Condition(hangs=True), (TIMED_OUT, 1.0)),
            (Condition(slowness=4.0), (OK, 0.4 + NETWORK)),
            (Condition(failing=0.6), (FAILED, 0.1 + NETWORK)),
            (Condition(failing=0.4), (OK, 0.1 + NETWORK)),
        ]
        for condition, (outcome, cost) in table:
            server = Server(workers=1, mean=0.1, backlog=10)
            server.condition = condition
            seen = self.call(server)
            self.assertEqual(seen[0], outcome, condition)
            self.assertAlmostEqual(seen[1], cost)
