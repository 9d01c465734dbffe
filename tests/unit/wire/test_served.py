"""The server's side of a connection: heartbeats are answered, idle agents stay, and vanished ones go."""

from pathlib import Path

from lars.networks import networks
from lars.runtime.admission import Admission
from lars.runtime.token_file import TokenFile
from lars.wire.factory import CLOSING, GIVES_WAY, FrameFactory, Limits
from lars.wire.frames import FrameDecoder, encode_frame
from lars.wire.lars_pb2 import GetRouteRequest, Heartbeat, Hello
from lars.wire.messages import MessageId, decode_message, encode_message
from lars.wire.served import ServedProtocol, heartbeat_receivers
from tests.unit.wire.connected import MALFORMED, REQUEST, UNKNOWN, Connected


class Served(ServedProtocol):
    """A server of nothing but heartbeats."""

    receivers = {
        **heartbeat_receivers,
        MessageId.GET_ROUTE_REQUEST: lambda self, request: self.introduced(request.peer),
    }


class Reporter(ServedProtocol):
    """A server that takes no requests for routes."""

    kind = "lars-reporter"
    receivers = {MessageId.GET_ROUTE_REQUEST: ServedProtocol.on_misdirected}


class ServedTests(Connected):
    protocol = Served

    def make_factory(self, limits: Limits | None = None) -> FrameFactory:
        return super().make_factory(limits or Limits(max_connections=2, idle_timeout=3600, stall_timeout=60))

    def setUp(self) -> None:
        super().setUp()
        self.factory.startFactory()
        self.addCleanup(self.factory.stopFactory)

    def heartbeats(self, *intervals: int) -> bytes:
        return b"".join(encode_message(MessageId.HEARTBEAT, Heartbeat(interval_ms=ms)) for ms in intervals)

    def test_heartbeat_is_answered_by_the_same(self) -> None:
        peer, transport = self.connect()
        peer.dataReceived(self.heartbeats(500))
        self.assertEqual(transport.value(), self.heartbeats(500))

    def test_agent_that_knows_them_is_sent_one_and_others_are_not(self) -> None:
        for peer_field, sent in ((0, b""), (1, b""), (2, self.heartbeats(10_000))):
            peer, transport = self.connect()
            request = GetRouteRequest(modid=1, cmdid=2, peer=peer_field)
            for _ in range(3):
                peer.dataReceived(encode_message(MessageId.GET_ROUTE_REQUEST, request))
            self.assertEqual(transport.value(), sent)
            self.factory.left(peer)

    def test_request_for_another_kind_of_server_is_answered_by_the_kind_of_this_one(self) -> None:
        self.factory.protocol = Reporter
        peer, transport = self.connect()
        for _ in range(2):
            peer.dataReceived(encode_message(MessageId.GET_ROUTE_REQUEST, GetRouteRequest(modid=1, cmdid=2, peer=2)))
        kind = Heartbeat(interval_ms=10_000, server="lars-reporter")
        self.assertEqual(transport.value(), encode_message(MessageId.HEARTBEAT, kind))
        self.assertEqual((self.factory.counters.malformed, transport.disconnecting), (2, False))

    def test_agent_that_vanished_is_dropped_and_counted(self) -> None:
        peer, transport = self.connect()
        peer.dataReceived(self.heartbeats(1000))
        self.clock.pump([0.5] * 4)
        self.assertFalse(transport.disconnecting)
        [line] = self.lines(lambda: self.clock.pump([0.5] * 2))
        self.assertTrue(transport.disconnecting)
        self.assertEqual(self.factory.counters.silent, 1)
        self.assertIn("its heartbeats ended", line)

    def test_agent_without_heartbeats_may_be_idle_for_ever(self) -> None:
        peer, transport = self.connect()
        peer.dataReceived(REQUEST)
        self.clock.pump([100] * 1000)
        self.assertFalse(transport.disconnecting)

    def test_connection_that_never_said_anything_gives_way_where_all_places_are_taken(self) -> None:
        _silent, silent_transport = self.connect()
        asking, asking_transport = self.connect()
        asking.dataReceived(REQUEST)
        self.assertIsNone(self.connect()[0])
        self.clock.advance(GIVES_WAY)
        self.assertIsNotNone(self.connect()[0])
        self.assertEqual((silent_transport.disconnecting, asking_transport.disconnecting), (True, False))
        self.assertEqual((self.factory.counters.idle, self.factory.counters.refused), (1, 1))


class TokenTests(Connected):
    """A server that demands a token, as it sees connections from 10.0.0.9."""

    protocol = Served
    TOKEN = "t" * 32

    def make_factory(self, limits: Limits | None = None, without_token: str = "") -> FrameFactory:
        path = Path(self.mktemp())
        path.write_text(f"{'o' * 32}\n{self.TOKEN}\n", encoding="ascii")
        self.admission = Admission(
            "lars-dns", self.clock, tokens=TokenFile(str(path)), without_token=networks(without_token)
        )
        factory = FrameFactory(self.clock, limits, self.admission)
        factory.protocol = self.protocol
        return factory

    def hello(self, token: str) -> bytes:
        return encode_message(MessageId.HELLO, Hello(token=token))

    def ask(self, peer: int = 2) -> bytes:
        return encode_message(MessageId.GET_ROUTE_REQUEST, GetRouteRequest(modid=1, cmdid=2, peer=peer))

    def refused(self, data: bytes) -> str:
        """The reason for which a connection that begins so is refused; empty if it is not."""
        peer, transport = self.connect()
        peer.dataReceived(data + self.ask())
        messages = [decode_message(*frame) for frame in FrameDecoder().feed(transport.value())]
        reasons = [message.refused for message in messages if isinstance(message, Hello)]
        self.assertEqual((len(messages), bool(reasons)), (1, transport.disconnecting), "a reason and no answer, or one")
        return "".join(reasons)

    def test_connection_that_begins_with_a_token_of_the_file_is_served(self) -> None:
        for token in (self.TOKEN, "o" * 32):
            self.assertEqual(self.refused(self.hello(token)), "")
        self.assertEqual(self.admission.bad_token, 0)

    def test_wrong_token_and_none_are_refused_with_the_reason_and_counted(self) -> None:
        for data, reason in (
            (self.hello("x" * 32), "its token is not one of token_file"),
            (self.hello(""), "it presents no token, and token_file demands one"),
            (b"", "it presents no token, and token_file demands one"),
            (UNKNOWN, "it presents no token, and token_file demands one"),
            (MALFORMED, "it presents no token, and token_file demands one"),
            (encode_frame(MessageId.HELLO, b"\xff\xff"), "it presents no token, and token_file demands one"),
        ):
            self.assertEqual(self.refused(data), reason)
        self.assertEqual(self.admission.dropped()["bad_token"], 6)

    def test_token_may_come_in_pieces(self) -> None:
        peer, transport = self.connect()
        for byte in self.hello(self.TOKEN):
            peer.dataReceived(bytes([byte]))
        peer.dataReceived(self.ask())
        self.assertFalse(transport.disconnecting)

    def test_network_without_token_is_served_as_ever(self) -> None:
        self.factory = self.make_factory(without_token="10.0.0.9")
        self.assertEqual(self.refused(b""), "")

    def test_refused_connection_whose_peer_does_not_close_is_cut(self) -> None:
        peer, transport = self.connect()
        peer.dataReceived(self.ask())
        self.assertFalse(transport.disconnected)
        self.clock.advance(CLOSING)
        self.assertTrue(transport.disconnected)

    def test_refusals_are_one_line_a_minute(self) -> None:
        [line] = self.lines(lambda: [self.refused(b"") for _ in range(100)])
        self.assertIn("lars-dns: 10.0.0.9:4321 refused: it presents no token", line)

    def test_server_without_tokens_takes_any(self) -> None:
        self.factory = super().make_factory()
        self.assertEqual(self.refused(self.hello("x" * 32)), "")
        self.assertEqual(self.factory.counters.unknown, 0)
