"""Changes, requests, stalls and drains in any order: Python agents end up right, and C++ agents survive."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lars.dns.protocol import RouteServerProtocol
from lars.wire.frames import FrameDecoder
from lars.wire.lars_pb2 import GetRouteResponse, UnsubscribeRequest
from lars.wire.messages import MessageId, encode_message
from tests.unit.dns.test_protocol import RouteServerCase, Writes, request

CMDIDS = st.integers(1, 2)
PORTS = st.frozensets(st.integers(80, 82))
CHANGES = st.tuples(st.just("change"), st.dictionaries(CMDIDS, PORTS, min_size=1))
ASKS = st.tuples(st.just("ask"), CMDIDS)
ENDS = st.tuples(st.just("unsubscribe"), CMDIDS)
TURNS = st.tuples(st.sampled_from(["pause", "resume", "turn"]), st.none())


class AnyOrderTests(RouteServerCase):
    def run_steps(self, steps: list[tuple[str, object]], peer: int) -> tuple[RouteServerProtocol, Writes]:
        """Does the steps on a new connection, then lets it read all and asks for nothing more."""
        super().setUp()
        self.now: dict[int, frozenset[int]] = {1: frozenset({80, 81})}
        self.subscribed: set[int] = set()
        protocol, transport = self.connect()
        for step, value in steps:
            if isinstance(value, dict):
                self.now.update(value)
                self.change(*sorted((1, cmdid, 10, port) for cmdid, ports in self.now.items() for port in ports))
            elif isinstance(value, int):
                self.ask(protocol, step, value, peer)
            elif step == "turn":
                self.clock.turn()
            elif step == "pause":
                protocol.pauseProducing()
            elif not protocol.writable:
                protocol.resumeProducing()
        if not protocol.writable:
            protocol.resumeProducing()
        for _ in range(4):
            self.clock.turn()
        return protocol, transport

    def ask(self, protocol: RouteServerProtocol, step: str, cmdid: int, peer: int) -> None:
        if step == "ask":
            self.subscribed.add(cmdid)
            protocol.dataReceived(request(1, cmdid, peer))
        else:
            self.subscribed.discard(cmdid)
            message = UnsubscribeRequest(modid=1, cmdid=cmdid)
            protocol.dataReceived(encode_message(MessageId.UNSUBSCRIBE_REQUEST, message))

    @given(st.lists(CHANGES | ASKS | ENDS | TURNS, max_size=40))
    def test_agent_of_ours_ends_with_the_newest_route_of_all_it_is_subscribed_to(
        self, steps: list[tuple[str, object]]
    ) -> None:
        protocol, transport = self.run_steps(steps, peer=1)
        last = {cmdid: frozenset(ports) for _modid, cmdid, ports in transport.answers()}
        for cmdid in self.subscribed:
            self.assertEqual(last[cmdid], self.now.get(cmdid, frozenset()))
        self.assertEqual(protocol._owed, {})

    @settings(max_examples=300)
    @given(st.lists(CHANGES | ASKS | TURNS, max_size=40))
    def test_cpp_agent_is_never_told_of_a_removal_but_by_an_empty_route_and_then_has_the_newest_or_none(
        self, steps: list[tuple[str, object]]
    ) -> None:
        protocol, transport = self.run_steps(steps, peer=0)
        holds: dict[int, frozenset[int]] = {}
        for write in transport.writes:
            decoder = FrameDecoder()
            for _message_id, body in decoder.feed(write):
                route = GetRouteResponse.FromString(body)
                ports = frozenset(host.port for host in route.host)
                self.assertTrue(not ports or ports >= holds.get(route.cmdid, frozenset()), "the original dies of it")
                holds[route.cmdid] = ports
            self.assertEqual(decoder._partial, b"")
        for cmdid in self.subscribed:
            self.assertIn(holds[cmdid], (frozenset(), self.now.get(cmdid, frozenset())))
        self.assertEqual(protocol._owed, {})
