"""`lars simulate` with an agent on a real socket, and its plan and results alone."""

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.commands.simulate import RECENT, Plan, Simulated
from lars.cli.terminal.live_table import HostRow
from lars.client import Host
from lars.route import ModuleId, parse_host
from lars.wire.lars_pb2 import GetHostRequest, GetRouteRequest
from tests.unit.cli.commands.agent_case import AgentCommandCase
from tests.unit.client.responder import HOST

A, B = (parse_host(f"10.0.0.{n}:80") for n in (1, 2))
MODULE = ModuleId(1, 1)


class PlanTests(SynchronousTestCase):
    def test_no_call_fails_at_rate_0_and_every_call_at_rate_10(self) -> None:
        for rate, expected in ((0, False), (10, True)):
            plan = Plan(rate, None, 0)
            self.assertEqual({plan.fails(Host(MODULE, A), call) for call in range(100)}, {expected})

    def test_host_that_is_down_fails_every_call_from_a_call_on(self) -> None:
        plan = Plan(0, A, 2)
        self.assertEqual([plan.fails(Host(MODULE, A), call) for call in range(4)], [False, False, True, True])
        self.assertFalse(plan.fails(Host(MODULE, B), 3))


class SimulatedTests(SynchronousTestCase):
    def test_rows_have_the_share_of_recent_calls_and_hosts_without_calls(self) -> None:
        simulated = Simulated()
        for host, failed in ((A, False), (A, False), (A, True), (B, False)):
            simulated.count(Host(MODULE, host), failed)
        idle = parse_host("10.0.0.9:80")
        self.assertEqual(
            simulated.rows({A: True, idle: False}),
            [
                HostRow("10.0.0.1:80", 0.75, 2, 1, True),
                HostRow("10.0.0.2:80", 0.25, 1, 0, None),
                HostRow("10.0.0.9:80", 0.0, 0, 0, False),
            ],
        )

    def test_shares_are_of_the_last_calls(self) -> None:
        simulated = Simulated()
        for host in (A, B):
            for _ in range(RECENT):
                simulated.count(Host(MODULE, host), False)
        self.assertEqual([row.share for row in simulated.rows({})], [0.0, 1.0])


class SimulateTests(AgentCommandCase):
    def test_simulated_calls_fail_by_the_error_rate_and_are_summed_up(self) -> None:
        for rate, succ, err in (("0", 20, 0), ("10", 0, 20)):
            ended = self.lars("simulate", "0", "3", "--err-rate", rate, "--count", "20", "--interval", "0")
            self.assertEqual(ended.status, 0)
            _header, host, summary = ended.out.splitlines()
            self.assertEqual(host.split(), [HOST, str(succ), str(err)])
            self.assertEqual(summary, "20 calls: 0 refused because every host was ejected")
            self.assertIsInstance(self.agent.next(), GetRouteRequest)  # register
            for _ in range(20):
                self.assertIsInstance(self.agent.next(), GetHostRequest)
                self.assertEqual(self.agent.next().retcode, int(err > 0))

    def test_simulation_goes_on_when_every_host_is_overloaded(self) -> None:
        self.agent.answer = self.overloaded
        ended = self.lars("simulate", "0", "3", "--count", "5", "--interval", "0", "--json")
        self.assertEqual((ended.status, ended.json), (0, {"hosts": [], "overloaded": 5}))
