"""The server's side of a connection: heartbeats are answered, idle agents stay, and vanished ones go."""

from lars.wire.factory import GIVES_WAY, FrameFactory, Limits
from lars.wire.lars_pb2 import GetRouteRequest, Heartbeat
from lars.wire.messages import MessageId, encode_message
from lars.wire.served import ServedProtocol, heartbeat_receivers
from tests.unit.wire.connected import REQUEST, Connected


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
