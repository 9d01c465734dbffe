"""The datagrams of a client, and the answers that it accepts."""

import math

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.client import AgentUnavailable, Host, NoSuchModule, Overloaded
from lars.client.queries import HostQuery, ModuleEncoding, RouteQuery, encode_report
from lars.route import HostAddress, ModuleId, parse_host
from lars.wire.frames import decode_datagram
from lars.wire.lars_pb2 import GetHostRequest, GetRouteRequest, ReportRequest
from lars.wire.messages import MessageId, Retcode, decode_message
from tests.unit.client.responder import HOST, OTHER, host_answer, route_answer
from tests.unit.wire.vectors import VECTORS, Vector, fields_of

MODULE = ModuleId(1, 1)
ADDRESS = parse_host(HOST)
REQUEST = GetHostRequest(seq=7, modid=1, cmdid=1)
ROUTE_REQUEST = GetRouteRequest(modid=1, cmdid=1)


def captured(message_id: MessageId) -> list[Vector]:
    return [vector for vector in VECTORS if vector.message_id == message_id]


def module_of(vector: Vector) -> ModuleId:
    return ModuleId(vector.fields["modid"], vector.fields["cmdid"])


class HostQueryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.query = HostQuery(ModuleEncoding(MODULE), 7)

    def test_request_is_what_a_cpp_client_sends(self) -> None:
        for vector in captured(MessageId.GET_HOST_REQUEST):
            self.assertEqual(HostQuery(ModuleEncoding(module_of(vector)), 0).datagrams, (vector.frame,))

    def test_answers_of_a_cpp_agent_are_read(self) -> None:
        answered = 0
        for vector in captured(MessageId.GET_HOST_RESPONSE):
            query = HostQuery(ModuleEncoding(module_of(vector)), 0)
            if vector.fields.get("retcode") == Retcode.NOEXIST:
                self.assertRaises(NoSuchModule, query.answer, vector.frame)
                continue
            answered += 1
            self.assertEqual(query.answer(vector.frame), Host(module_of(vector), HostAddress(**vector.fields["host"])))
        self.assertEqual(answered, 2)

    def test_answer_is_the_host_of_the_module_asked_for(self) -> None:
        host = self.query.answer(host_answer(REQUEST, HOST))
        self.assertEqual(host, Host(MODULE, ADDRESS))

    def test_answers_to_other_queries_are_none(self) -> None:
        for changed in ({"seq": 6}, {"modid": 2}, {"cmdid": 2}):
            self.assertIsNone(self.query.answer(host_answer(REQUEST, HOST, **changed)))
            refusal = host_answer(REQUEST, None, retcode=Retcode.NOEXIST, **changed)
            self.assertIsNone(self.query.answer(refusal))
        self.assertIsNone(self.query.answer(route_answer(ROUTE_REQUEST, HOST)))
        self.assertIsNone(self.query.answer(self.query.datagrams[0]))

    def test_answer_without_a_host_that_can_be_called_is_none(self) -> None:
        self.assertIsNone(self.query.answer(host_answer(REQUEST, None)))

    def test_refusals_are_errors_that_say_what_to_do(self) -> None:
        for retcode, error, text in (
            (Retcode.NOEXIST, NoSuchModule, r"module \(1, 1\) has no hosts .* `lars route add 1 1 IP:PORT`"),
            (Retcode.OVERLOAD, Overloaded, r"module \(1, 1\) takes no call now.* try again later"),
            (Retcode.SYSTEM_ERROR, AgentUnavailable, r"could not choose a host of module \(1, 1\)"),
        ):
            with self.assertRaisesRegex(error, text):
                self.query.answer(host_answer(REQUEST, None, retcode=retcode))

    def test_seq_goes_on_at_zero_after_the_largest(self) -> None:
        query = HostQuery(ModuleEncoding(MODULE), 2**32)
        message = decode_message(*decode_datagram(query.datagrams[0]))
        assert isinstance(message, GetHostRequest)
        self.assertEqual(message.seq, 0)
        self.assertIsNotNone(query.answer(host_answer(message, HOST)))

    @given(st.binary(max_size=200))
    def test_no_bytes_can_raise_anything_but_a_refusal(self, datagram: bytes) -> None:
        header = MessageId.GET_HOST_RESPONSE.to_bytes(4, "little") + len(datagram).to_bytes(4, "little")
        self.assertIsNone(self.query.answer(datagram))
        try:
            self.query.answer(header + datagram)
        except (NoSuchModule, Overloaded, AgentUnavailable):
            return


class RouteQueryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.query = RouteQuery(MODULE)

    def test_request_is_what_a_cpp_client_sends(self) -> None:
        for vector in captured(MessageId.API_GET_ROUTE_REQUEST):
            self.assertEqual(RouteQuery(module_of(vector)).datagrams, (vector.frame,))

    def test_answers_of_a_cpp_agent_are_read(self) -> None:
        for vector in captured(MessageId.API_GET_ROUTE_RESPONSE):
            hosts = [Host(module_of(vector), HostAddress(**info)) for info in vector.fields.get("host", [])]
            self.assertEqual(RouteQuery(module_of(vector)).answer(vector.frame), hosts)

    def test_hosts_keep_their_order(self) -> None:
        hosts = self.query.answer(route_answer(ROUTE_REQUEST, OTHER, HOST))
        self.assertEqual([str(host) for host in hosts or []], [OTHER, HOST])

    def test_a_module_without_hosts_is_an_empty_answer_and_not_none(self) -> None:
        self.assertEqual(self.query.answer(route_answer(ROUTE_REQUEST)), [])

    def test_answers_to_other_queries_are_none(self) -> None:
        self.assertIsNone(self.query.answer(route_answer(ROUTE_REQUEST, HOST, modid=2)))
        self.assertIsNone(self.query.answer(host_answer(REQUEST, HOST)))

    @given(st.binary(max_size=200))
    def test_no_bytes_can_raise(self, datagram: bytes) -> None:
        header = MessageId.API_GET_ROUTE_RESPONSE.to_bytes(4, "little") + len(datagram).to_bytes(4, "little")
        self.assertIsNone(self.query.answer(datagram))
        self.query.answer(header + datagram)


class ReportTests(SynchronousTestCase):
    def sent(self, retcode: int, cost: float | None) -> ReportRequest:
        message = decode_message(*decode_datagram(encode_report(Host(MODULE, ADDRESS), retcode, cost)))
        assert isinstance(message, ReportRequest)
        return message

    def test_a_cpp_agent_gets_the_fields_that_its_own_client_sends(self) -> None:
        for vector in captured(MessageId.REPORT_REQUEST):
            host = Host(module_of(vector), HostAddress(**vector.fields["host"]))
            message = decode_message(*decode_datagram(encode_report(host, vector.fields.get("retcode", 0), None)))
            assert isinstance(message, ReportRequest)
            self.assertEqual(fields_of(message), vector.fields)

    def test_cost_in_seconds_is_sent_in_milliseconds(self) -> None:
        self.assertEqual([self.sent(0, cost).cost_ms for cost in (None, 0, 0.25, 3)], [0, 0, 250, 3000])

    def test_cost_that_the_field_cannot_hold_is_sent_as_the_nearest(self) -> None:
        self.assertEqual([self.sent(0, cost).cost_ms for cost in (-1.0, 1e12, math.inf)], [0, 2**32 - 1, 2**32 - 1])

    def test_any_failure_stays_one(self) -> None:
        for retcode in (1, -1, 503, 2**40, -(2**40)):
            self.assertTrue(self.sent(retcode, None).retcode)
