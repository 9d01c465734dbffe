"""The protocol of every TCP peer: whole messages to a table of methods, and what it does about everything else."""

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from lars.wire.frames import FrameDecoder, FrameError
from lars.wire.lars_pb2 import GetRouteRequest, GetRouteResponse, HostInfo
from lars.wire.messages import MessageId, encode_message
from tests.unit.wire.connected import BAD_LENGTH, MALFORMED, REQUEST, UNKNOWN, Connected, Peer


class EndingPeer(Peer):
    """Ends its connection at the first message."""

    def on_get_route(self, request: GetRouteRequest) -> None:
        super().on_get_route(request)
        self.end()

    receivers = {MessageId.GET_ROUTE_REQUEST: on_get_route}


class VerbosePeer(Peer):
    """Answers with more than a frame can hold, which is a bug of its own."""

    def on_get_route(self, request: GetRouteRequest) -> None:
        self.send(MessageId.GET_ROUTE_RESPONSE, GetRouteResponse(host=[HostInfo(ip=2**32 - 1, port=65535)] * 6000))

    receivers = {MessageId.GET_ROUTE_REQUEST: on_get_route}


class ReceiveTests(Connected):
    def test_message_goes_to_the_method_of_its_id(self) -> None:
        peer, _transport = self.connect()
        peer.dataReceived(REQUEST)
        self.assertEqual(peer.seen, ["connected", (1, 2)])

    def test_messages_split_across_reads_arrive_once_each_and_in_order(self) -> None:
        peer, _transport = self.connect()
        for byte in REQUEST + REQUEST:
            peer.dataReceived(bytes([byte]))
        self.assertEqual(peer.seen, ["connected", (1, 2), (1, 2)])

    def test_sent_message_is_one_whole_frame(self) -> None:
        peer, transport = self.connect()
        peer.send(MessageId.GET_ROUTE_RESPONSE, GetRouteResponse(modid=1, cmdid=2))
        self.assertEqual(list(FrameDecoder().feed(transport.value())), [(2, b"\x08\x01\x10\x02")])

    def test_malformed_body_is_counted_and_skipped_and_the_connection_lives(self) -> None:
        peer, transport = self.connect()
        peer.dataReceived(MALFORMED + REQUEST)
        self.assertEqual(peer.seen, ["connected", (1, 2)])
        self.assertEqual((self.factory.counters.malformed, self.factory.counters.bad_streams), (1, 0))
        self.assertFalse(transport.disconnecting)

    def test_unknown_message_is_counted_and_skipped_and_the_connection_lives(self) -> None:
        peer, transport = self.connect()
        peer.dataReceived(UNKNOWN + REQUEST + UNKNOWN)
        self.assertEqual(peer.seen, ["connected", (1, 2)])
        self.assertEqual(self.factory.counters.unknown, 2)
        self.assertFalse(transport.disconnecting)

    def test_message_that_this_side_does_not_take_counts_as_unknown(self) -> None:
        peer, _transport = self.connect()
        peer.dataReceived(encode_message(MessageId.GET_ROUTE_RESPONSE, GetRouteResponse(modid=1)))
        self.assertEqual((peer.seen, self.factory.counters.unknown), (["connected"], 1))

    def test_bad_length_drops_the_connection_after_the_messages_before_it(self) -> None:
        peer, transport = self.connect()
        peer.dataReceived(REQUEST + BAD_LENGTH + REQUEST)
        self.assertEqual(peer.seen, ["connected", (1, 2)])
        self.assertEqual(self.factory.counters.bad_streams, 1)
        self.assertTrue(transport.disconnecting)

    def test_nothing_is_read_or_counted_after_the_connection_was_dropped(self) -> None:
        peer, _transport = self.connect()
        peer.dataReceived(BAD_LENGTH)
        peer.dataReceived(BAD_LENGTH + REQUEST)
        self.assertEqual((peer.seen, self.factory.counters.bad_streams), (["connected"], 1))

    def test_each_connection_is_told_once_that_it_stands_and_once_that_it_is_gone(self) -> None:
        peer, _transport = self.connect()
        self.assertEqual(self.factory.connections, {peer})
        peer.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(peer.seen, ["connected", "lost"])
        self.assertEqual(self.factory.connections, set())


class EndingTests(Connected):
    protocol = EndingPeer

    def test_a_receiver_that_ends_the_connection_gets_nothing_more(self) -> None:
        peer, _transport = self.connect()
        peer.dataReceived(REQUEST + REQUEST + BAD_LENGTH)
        self.assertEqual((peer.seen, self.factory.counters.bad_streams), (["connected", (1, 2)], 0))


class VerboseTests(Connected):
    protocol = VerbosePeer

    def test_an_answer_too_long_is_not_blamed_on_the_peer_s_stream(self) -> None:
        peer, transport = self.connect()
        with self.assertRaises(FrameError):
            peer.dataReceived(REQUEST)
        self.assertEqual(self.factory.counters.bad_streams, 0)
        self.assertFalse(transport.disconnecting)
