"""`lars explain` with an agent on a real socket."""

from collections.abc import Iterable
from typing import Any

from lars.route import parse_host
from lars.wire.lars_pb2 import ExplainedHost, ExplainResponse
from lars.wire.messages import MessageId, encode_message
from tests.unit.cli.commands.agent_case import AgentCommandCase
from tests.unit.client.responder import HOST, OTHER, silent

HEALTHY, EJECTED = parse_host(HOST), parse_host(OTHER)


def explained() -> list[ExplainedHost]:
    return [
        ExplainedHost(ip=HEALTHY.ip, port=HEALTHY.port, share=1, calls=40.2, in_flight=3, latency=0.01234, why="takes"),
        ExplainedHost(
            ip=EJECTED.ip,
            port=EJECTED.port,
            ejected=True,
            calls=9,
            failures=3,
            failures_in_a_row=2,
            next_probe=0,
            why="x",
        ),
    ]


class ExplainCommandTests(AgentCommandCase):
    def setUp(self) -> None:
        super().setUp()
        self.hosts = explained()
        self.page = 500
        self.agent.answer = self.explaining

    def explaining(self, request: Any) -> Iterable[bytes]:
        answer = ExplainResponse(
            seq=request.seq,
            modid=request.modid,
            cmdid=request.cmdid,
            offset=request.offset,
            policy="adaptive",
            host=self.hosts[request.offset : request.offset + self.page],
            total=len(self.hosts),
        )
        late = ExplainResponse(seq=request.seq - 1, modid=request.modid, cmdid=request.cmdid, policy="late")
        return [encode_message(MessageId.EXPLAIN_RESPONSE, each) for each in (late, answer)]

    def test_table_has_a_line_a_host_with_ejected_ones_first(self) -> None:
        ended = self.lars("explain", "0", "3")
        self.assertEqual((ended.status, ended.err), (0, ""))
        title, head, first, second = ended.out.splitlines()
        self.assertEqual(title, "module (0, 3), policy adaptive")
        self.assertEqual(" ".join(head.split()), "HOST STATE SHARE FAILED IN A ROW IN FLIGHT LATENCY NEXT PROBE WHY")
        self.assertEqual(first.split(), [OTHER, "ejected", "0.0%", "3", "of", "9", "2", "-", "-", "0.0", "s", "x"])
        self.assertEqual(
            second.split(), [HOST, "healthy", "100.0%", "0", "of", "40", "0", "3", "12.3", "ms", "-", "takes"]
        )

    def test_json_keeps_what_is_not_known_apart_from_zero(self) -> None:
        ejected, healthy = self.lars("explain", "0", "3", "--json").json
        self.assertEqual(
            ejected,
            {
                "modid": 0,
                "cmdid": 3,
                "policy": "adaptive",
                "host": OTHER,
                "state": "ejected",
                "share": 0.0,
                "calls": 9.0,
                "failures": 3.0,
                "failures_in_a_row": 2,
                "in_flight": None,
                "latency": None,
                "next_probe": 0.0,
                "why": "x",
                "reason": "",
            },
        )
        self.assertEqual((healthy["in_flight"], healthy["latency"], healthy["next_probe"]), (3, 0.01234, None))

    def test_every_page_is_asked_for(self) -> None:
        self.page = 1
        self.assertEqual(len(self.lars("explain", "0", "3", "--json").json), 2)

    def test_module_that_the_agent_does_not_have_is_refused_in_one_line(self) -> None:
        self.hosts = []
        ended = self.lars("explain", "0", "3")
        self.assertEqual((ended.status, ended.out), (1, ""))
        self.assertIn("the agent has no hosts of module (0, 3)", ended.error)

    def test_agent_that_does_not_know_the_request_is_one_line(self) -> None:
        self.agent.answer = silent
        ended = self.lars("explain", "0", "3")
        self.assertEqual((ended.status, ended.out), (1, ""))
        self.assertIn("does not explain its choices: is lars-agent running there, and of this version?", ended.error)
