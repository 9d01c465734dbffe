"""The connections of one place: how many, how long, how they end, and that none of them can flood the log."""

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from lars.wire.factory import Limits
from lars.wire.frames import encode_frame
from lars.wire.quiet_peers import QUIET
from tests.unit.wire.connected import BAD_LENGTH, MALFORMED, REQUEST, UNKNOWN, Connected


class LimitTests(Connected):
    def test_connection_over_the_limit_is_refused_and_counted_until_another_goes(self) -> None:
        self.factory = self.make_factory(Limits(max_connections=2))
        first, _transport = self.connect()
        self.connect()
        self.assertIsNone(self.connect()[0])
        self.assertEqual(self.factory.counters.refused, 1)
        first.connectionLost(Failure(ConnectionDone()))
        self.assertIsNotNone(self.connect()[0])

    def test_no_limit_refuses_nobody(self) -> None:
        for _ in range(50):
            self.connect()
        self.assertEqual((len(self.factory.connections), self.factory.counters.refused), (50, 0))

    def test_log_names_the_limit_and_how_to_raise_it(self) -> None:
        self.factory = self.make_factory(Limits(max_connections=1))
        self.connect()
        [line] = self.lines(self.connect)
        self.assertIn("10.0.0.9", line)
        self.assertIn("1 connections are open, the limit", line)
        self.assertIn("raise max_connections", line)


class AddressLimitTests(Connected):
    """Connections of one address, and those that give way where all places are taken."""

    def at(self, host: str) -> object:
        address = IPv6Address if ":" in host else IPv4Address
        return self.connect(address("TCP", host, 4321))[0]

    def test_one_address_has_so_many_connections_and_others_theirs(self) -> None:
        self.factory = self.make_factory(Limits(max_per_address=2))
        peer, _transport = self.connect()
        self.connect()
        [line] = self.lines(self.connect)
        self.assertIn("10.0.0.9:4321 closed: its address has 2 open, the limit (max_per_address)", line)
        self.assertIsNotNone(self.at("10.0.0.8"))
        self.assertEqual(self.factory.counters.dropped()["crowded"], 1)
        peer.connectionLost(Failure(ConnectionDone()))
        self.assertIsNotNone(self.connect()[0])

    def test_addresses_of_one_ipv6_network_count_as_one(self) -> None:
        self.factory = self.make_factory(Limits(max_per_address=1))
        self.assertIsNotNone(self.at("2001:db8::1"))
        self.assertIsNone(self.at("2001:db8::2"))
        self.assertIsNotNone(self.at("2001:db8:0:1::2"))

    def test_unix_sockets_have_no_address_to_count(self) -> None:
        self.factory = self.make_factory(Limits(max_per_address=1))
        self.assertEqual([self.connect(UNIXAddress(""))[0] is None for _ in range(3)], [False] * 3)

    def test_peer_that_asked_once_and_fell_silent_gives_way_to_a_new_one(self) -> None:
        self.factory = self.make_factory(Limits(max_connections=2, idle_timeout=3600))
        silent, silent_transport = self.connect()
        silent.dataReceived(REQUEST)
        speaking, speaking_transport = self.connect()
        self.clock.advance(QUIET - 1)
        speaking.dataReceived(REQUEST)
        self.assertIsNone(self.connect()[0], "none has been silent for long")
        self.clock.advance(1)
        found: list[object] = []
        [line] = self.lines(lambda: found.append(self.connect()[0]))
        self.assertEqual(found, [next(c for c in self.factory.connections if c is not speaking)])
        self.assertIn("dropped: it is silent, has no heartbeats, and all places are taken", line)
        self.assertEqual((silent_transport.disconnecting, speaking_transport.disconnecting), (True, False))
        self.assertEqual(self.factory.counters.dropped()["quiet"], 1)

    def test_peer_with_heartbeats_never_gives_way(self) -> None:
        self.factory = self.make_factory(Limits(max_connections=1, idle_timeout=3600))
        peer, _transport = self.connect()
        peer.dataReceived(REQUEST)
        self.factory.heartbeat(peer, 3600)
        self.clock.advance(2 * QUIET)
        self.assertIsNone(self.connect()[0])

    def test_peer_that_is_not_read_from_never_gives_way(self) -> None:
        self.factory = self.make_factory(Limits(max_connections=1, idle_timeout=3600))
        peer, _transport = self.connect()
        peer.dataReceived(REQUEST)
        peer.pause_reading()
        self.clock.advance(2 * QUIET)
        self.assertIsNone(self.connect()[0])

    def test_silence_takes_no_place_while_there_are_others(self) -> None:
        self.factory = self.make_factory(Limits(max_connections=2, idle_timeout=3600))
        peer, transport = self.connect()
        peer.dataReceived(REQUEST)
        self.clock.advance(100 * QUIET)
        self.connect()
        self.assertFalse(transport.disconnecting)


class TimeLimitTests(Connected):
    """Connections that ask for nothing, and peers that do not read."""

    def setUp(self) -> None:
        super().setUp()
        self.factory = self.make_factory(Limits(idle_timeout=30, stall_timeout=60))
        self.factory.startFactory()
        self.addCleanup(self.factory.stopFactory)

    def pass_time(self, seconds: int) -> None:
        self.clock.pump([1] * seconds)

    def test_connection_that_asks_for_nothing_is_dropped_and_counted(self) -> None:
        _peer, transport = self.connect()
        self.pass_time(29)
        self.assertFalse(transport.disconnecting)
        [line] = self.lines(lambda: self.pass_time(1))
        self.assertTrue(transport.disconnecting)
        self.assertEqual(self.factory.counters.idle, 1)
        self.assertIn("10.0.0.9:4321 dropped: it has sent no request", line)

    def test_connection_that_has_asked_once_may_be_silent_for_ever(self) -> None:
        peer, transport = self.connect()
        peer.dataReceived(UNKNOWN)
        self.pass_time(1000)
        self.assertFalse(transport.disconnecting)

    def test_part_of_a_frame_is_no_question(self) -> None:
        peer, transport = self.connect()
        for byte in REQUEST[:-1]:
            self.pass_time(3)
            peer.dataReceived(bytes([byte]))
        self.assertTrue(transport.disconnecting)

    def test_peer_that_does_not_read_is_dropped_and_counted(self) -> None:
        peer, transport = self.connect()
        peer.dataReceived(REQUEST)
        peer.pauseProducing()
        self.assertFalse(peer.writable)
        self.pass_time(59)
        self.assertFalse(transport.disconnecting)
        [line] = self.lines(lambda: self.pass_time(1))
        self.assertTrue(transport.disconnecting)
        self.assertEqual(self.factory.counters.stalled, 1)
        self.assertIn("10.0.0.9:4321 dropped: it does not read", line)

    def test_peer_that_reads_again_in_time_is_kept_and_told(self) -> None:
        peer, transport = self.connect()
        peer.dataReceived(REQUEST)
        for _ in range(5):
            peer.pauseProducing()
            self.pass_time(59)
            peer.resumeProducing()
        self.assertTrue(peer.writable)
        self.assertFalse(transport.disconnecting)
        self.assertEqual(peer.seen, ["connected", (1, 2), *["writable"] * 5])

    def test_without_limits_nothing_is_timed(self) -> None:
        self.factory = self.make_factory()
        self.factory.startFactory()
        peer, transport = self.connect()
        peer.pauseProducing()
        self.pass_time(1000)
        self.assertFalse(transport.disconnecting)

    def test_a_stopped_factory_leaves_no_timer(self) -> None:
        self.factory.stopFactory()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class ClosingTests(Connected):
    def test_every_connection_is_ended_in_order(self) -> None:
        connections = [self.connect() for _ in range(3)]
        closing = Deferred.fromCoroutine(self.factory.close_connections(patience=1))
        self.assertTrue(all(transport.disconnecting for _peer, transport in connections))
        self.assertNoResult(closing)
        for peer, _transport in connections:
            peer.connectionLost(Failure(ConnectionDone()))
        self.clock.advance(0.01)
        self.successResultOf(closing)

    def test_a_connection_whose_peer_does_not_read_is_aborted_when_patience_ends(self) -> None:
        peer, transport = self.connect()
        closing = Deferred.fromCoroutine(self.factory.close_connections(patience=1))
        self.clock.pump([0.01] * 98)
        self.assertFalse(transport.disconnected)
        self.clock.pump([0.01] * 4)
        self.assertTrue(transport.disconnected)
        peer.connectionLost(Failure(ConnectionDone()))
        self.clock.advance(0.01)
        self.successResultOf(closing)

    def test_nothing_to_end_takes_no_time(self) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.factory.close_connections()))


class LogTests(Connected):
    """A fault that repeats is told at once, then at most once a minute with how often it came."""

    def assert_told_once_a_minute(self, data: bytes, what: str, connect_anew: bool = False) -> None:
        peer, _transport = self.connect()

        def repeat(times: int) -> None:
            for _ in range(times):
                (self.connect()[0] if connect_anew else peer).dataReceived(data)

        [line] = self.lines(lambda: repeat(100))
        self.assertIn(what, line)
        self.assertIn("10.0.0.9:4321", line)
        self.assertIn("(1 such", line)
        self.clock.advance(59)
        self.assertEqual(self.lines(lambda: repeat(100)), [])
        self.clock.advance(1)
        [line] = self.lines(lambda: repeat(1))
        self.assertIn("(200 such", line)

    def test_malformed_bodies_do_not_flood_the_log(self) -> None:
        self.assert_told_once_a_minute(MALFORMED, "skipped: message 1: a body of 3 bytes does not parse")

    def test_unknown_messages_do_not_flood_the_log(self) -> None:
        self.assert_told_once_a_minute(UNKNOWN, "message 1000")

    def test_bad_lengths_do_not_flood_the_log(self) -> None:
        self.assert_told_once_a_minute(BAD_LENGTH, "dropped: message 1: a body length of -1", connect_anew=True)

    def test_a_peer_that_makes_up_ids_cannot_flood_the_log(self) -> None:
        peer, _transport = self.connect()
        stream = b"".join(encode_frame(message_id, b"") for message_id in range(-2000, 2000) if message_id != 1)
        self.assertLess(len(self.lines(lambda: peer.dataReceived(stream))), 110)

    def test_a_peer_without_an_internet_address_is_named_too(self) -> None:
        peer, _transport = self.connect(UNIXAddress("/run/lars"))
        self.assertIn("/run/lars", peer.connected_to)
