"""What a shard is asked, and which datagrams answer it."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from lars.gateway.state_link import Dialect, StateQuery
from lars.wire.frames import decode_datagram
from lars.wire.lars_pb2 import GetRouteRequest, GetRouteResponse, HostInfo, RouteStateRequest, RouteStateResponse
from lars.wire.messages import Message, MessageId, decode_message, encode_message
from tests.unit.gateway.routes import MODULE, host, route

INFO = HostInfo(ip=10 << 24 | 1, port=80)
HOST = host("10.0.0.1:80")


def messages(datagrams: Any) -> list[Message | None]:
    return [decode_message(*decode_datagram(datagram)) for datagram in datagrams]


def state(seq: int, **fields: Any) -> bytes:
    answer = RouteStateResponse(seq=seq, modid=1, cmdid=1, **fields)
    return encode_message(MessageId.ROUTE_STATE_RESPONSE, answer)


PLAIN = encode_message(MessageId.API_GET_ROUTE_RESPONSE, GetRouteResponse(modid=1, cmdid=1, host=[INFO]))


class StateQueryTests(SynchronousTestCase):
    def test_it_asks_for_what_the_agent_answers(self) -> None:
        for dialect, kinds in (
            (Dialect.UNKNOWN, [RouteStateRequest, GetRouteRequest]),
            (Dialect.STATES, [RouteStateRequest]),
            (Dialect.PLAIN, [GetRouteRequest]),
        ):
            self.assertEqual([type(m) for m in messages(StateQuery(MODULE, 1, None, dialect).datagrams)], kinds)

    def test_it_names_the_version_that_is_known(self) -> None:
        [request] = messages(StateQuery(MODULE, 1, route(HOST, version=9), Dialect.STATES).datagrams)
        assert isinstance(request, RouteStateRequest)
        self.assertEqual(request.version, 9)

    def test_a_state_is_a_route(self) -> None:
        found = StateQuery(MODULE, 3, None, Dialect.UNKNOWN).answer(state(3, version=7, idle=[INFO]))
        self.assertEqual(found, (route(HOST), Dialect.STATES))

    def test_a_state_that_has_not_changed_is_the_route_that_is_known(self) -> None:
        known = route(HOST)
        found = StateQuery(MODULE, 3, known, Dialect.STATES).answer(state(3, version=known.version))
        assert found is not None
        self.assertIs(found[0], known)

    def test_a_plain_route_shows_an_older_agent(self) -> None:
        found = StateQuery(MODULE, 3, None, Dialect.UNKNOWN).answer(PLAIN)
        assert found is not None
        self.assertEqual((found[0].hosts, found[1]), ((HOST,), Dialect.PLAIN))

    def test_what_answers_another_query_is_passed_over(self) -> None:
        query = StateQuery(MODULE, 3, None, Dialect.UNKNOWN)
        other = encode_message(MessageId.API_GET_ROUTE_RESPONSE, GetRouteResponse(modid=9, cmdid=9))
        for datagram in (b"", b"\0" * 9, state(2, version=7, idle=[INFO]), other):
            self.assertIsNone(query.answer(datagram))
