"""`lars get-host`, `get-route` and `report` with an agent on a real socket."""

from collections.abc import Iterable
from typing import Any

from lars.wire.lars_pb2 import GetHostRequest, GetRouteRequest
from tests.unit.cli.command import Ended
from tests.unit.cli.commands.agent_case import AgentCommandCase
from tests.unit.client.responder import HOST, OTHER, host_answer, route_answer, serving, silent


class AgentCommandTests(AgentCommandCase):
    def test_get_host_prints_where_to_call(self) -> None:
        self.assertEqual(self.lars("get-host", "0", "3"), Ended(0, f"{HOST}\n", ""))
        self.assertEqual(
            self.lars("get-host", "0", "3", "--json").json, {"modid": 0, "cmdid": 3, "ip": "10.0.0.5", "port": 8080}
        )

    def test_get_route_prints_a_host_a_line(self) -> None:
        self.assertEqual(self.lars("get-route", "0", "3"), Ended(0, f"{HOST}\n{OTHER}\n", ""))
        self.assertEqual(
            self.lars("get-route", "0", "3", "--json").json,
            [
                {"modid": 0, "cmdid": 3, "ip": "10.0.0.5", "port": 8080},
                {"modid": 0, "cmdid": 3, "ip": "10.0.0.6", "port": 8081},
            ],
        )

    def test_first_call_on_an_agent_that_has_not_pulled_the_route_already_answers(self) -> None:
        pulled: list[GetRouteRequest] = []

        def cold(request: Any) -> Iterable[bytes]:
            if isinstance(request, GetHostRequest):
                return [host_answer(request, HOST)]
            pulled.append(request)
            return [route_answer(request, HOST) if len(pulled) > 2 else route_answer(request)]

        self.agent.answer = cold
        self.assertEqual(self.lars("get-host", "0", "3"), Ended(0, f"{HOST}\n", ""))

    def test_overloaded_module_is_refused(self) -> None:
        self.agent.answer = self.overloaded
        ended = self.lars("get-host", "0", "3")
        self.assertEqual((ended.status, ended.out), (1, ""))
        self.assertIn("module (0, 3) takes no call now: load is shed", ended.error)

    def test_module_without_hosts_is_refused(self) -> None:
        self.agent.answer = serving()
        for given in (["get-host"], ["get-route"], ["simulate"]):
            ended = self.lars(*given, "0", "3")
            self.assertEqual((ended.status, ended.out), (1, ""))
            self.assertIn("module (0, 3) has no hosts that the agent knows of", ended.error)

    def test_agent_that_does_not_answer_is_refused(self) -> None:
        self.agent.answer = silent
        ended = self.lars("get-host", "0", "3")
        self.assertEqual((ended.status, ended.out), (1, ""))
        self.assertIn(f"no answer from the agent at 127.0.0.1:{self.agent.port}", ended.error)

    def test_report_reaches_the_agent(self) -> None:
        for retcode, said in (("0", "success"), ("-1", "failure"), ("503", "failure")):
            ended = self.lars("report", "0", "3", OTHER, retcode, "--cost", "2.5")
            self.assertEqual(ended, Ended(0, f"reported {said} of {OTHER}\n", ""))
            self.agent.next()  # register
            self.agent.next()  # get_route
            report = self.agent.next()
            self.assertEqual((report.retcode, report.host.port, report.cost_ms), (int(retcode), 8081, 2500))

    def test_report_of_a_host_that_is_not_in_the_route_says_so(self) -> None:
        ended = self.lars("report", "0", "3", "10.9.9.9:1", "0")
        self.assertEqual(ended.status, 0)
        self.assertIn("10.9.9.9:1 is no host of module (0, 3)", ended.error)
