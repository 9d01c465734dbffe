"""What the protocol asks of its transport: keepalive, no delay, a producer while it lives and none when it ends."""

from typing import cast

from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReactorFDSet, ITCPTransport, ITransport
from twisted.internet.main import CONNECTION_DONE
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import alsoProvides

from lars.wire.factory import Limits
from lars.wire.protocol import FrameProtocol
from tests.unit.wire.connected import Connected

FULL = FileDescriptor.bufferSize
"""Bytes that wait in a transport at most before it says that it is full."""


class TcpTransport(StringTransport):
    """Remembers what was asked of it, in order."""

    def __init__(self) -> None:
        super().__init__()
        alsoProvides(self, ITCPTransport)
        self.asked: list[object] = []

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.asked.append(("no delay", enabled))

    def setTcpKeepAlive(self, enabled: bool) -> None:
        self.asked.append(("keepalive", enabled))

    def unregisterProducer(self) -> None:
        super().unregisterProducer()
        self.asked.append("no producer")

    def loseConnection(self) -> None:
        super().loseConnection()
        self.asked.append("close")


class TcpTests(Connected):
    def test_connection_sends_at_once_and_notices_a_peer_that_vanished(self) -> None:
        transport = TcpTransport()
        protocol = self.factory.buildProtocol(None)
        assert protocol is not None
        protocol.makeConnection(transport)
        self.assertEqual(transport.asked, [("no delay", True), ("keepalive", True)])

    def test_end_in_order_takes_the_producer_away_first_which_would_hold_the_transport_open(self) -> None:
        transport = TcpTransport()
        protocol = self.factory.buildProtocol(None)
        assert protocol is not None
        protocol.makeConnection(transport)
        transport.asked.clear()
        closing = Deferred.fromCoroutine(self.factory.close_connections())
        self.assertEqual(transport.asked, ["no producer", "close"])
        protocol.connectionLost(Failure(ConnectionDone()))
        self.clock.advance(0.01)
        self.successResultOf(closing)


class Selector:
    """A reactor of which only the set of writers is used."""

    def __init__(self) -> None:
        self.writers: set[object] = set()

    def addReader(self, _reader: object) -> None:
        """Nothing is ever read."""

    removeReader = addReader

    def addWriter(self, writer: object) -> None:
        self.writers.add(writer)

    def removeWriter(self, writer: object) -> None:
        self.writers.discard(writer)


class Narrow(FileDescriptor):
    """Twisted's own buffering, before a peer that takes as many bytes as the test says."""

    def __init__(self) -> None:
        self.selector = Selector()
        super().__init__(cast(IReactorFDSet, self.selector))
        self.connected = 1
        self.room = 0
        self.end: object = None

    def writeSomeData(self, data: bytes) -> int:
        taken = min(len(data), self.room)
        self.room -= taken
        return taken

    def take(self, room: int) -> None:
        """The peer takes so many bytes, in as many turns as the reactor gives for that."""
        self.room = room
        while self.room and self in self.selector.writers and self.end is None:
            self.end = self.doWrite()

    def abortConnection(self) -> None:
        self.end = "aborted"

    def getPeer(self) -> IPv4Address:
        return IPv4Address("TCP", "10.0.0.9", 4321)


class FullTransportTests(Connected):
    """With Twisted's own buffers, of which the protocol must know how they behave."""

    def connect_narrow(self) -> tuple[FrameProtocol, Narrow]:
        protocol = self.factory.buildProtocol(None)
        assert protocol is not None
        transport = Narrow()
        protocol.makeConnection(cast(ITransport, transport))
        return protocol, transport

    def test_transport_that_is_full_stops_its_protocol_until_all_is_taken(self) -> None:
        protocol, transport = self.connect_narrow()
        protocol.stream.write(bytes(FULL))
        self.assertTrue(protocol.writable)
        protocol.stream.write(b"x")
        self.assertFalse(protocol.writable)
        transport.take(FULL)
        self.assertFalse(protocol.writable)
        transport.take(1)
        self.assertTrue(protocol.writable)

    def test_peer_that_takes_the_rest_while_connections_are_closed_is_closed_in_order(self) -> None:
        protocol, transport = self.connect_narrow()
        protocol.stream.write(bytes(2 * FULL))
        closing = Deferred.fromCoroutine(self.factory.close_connections(patience=1))
        self.clock.pump([0.01] * 50)
        self.assertIsNone(transport.end)
        transport.take(2 * FULL)
        self.assertIs(transport.end, CONNECTION_DONE)
        protocol.connectionLost(Failure(ConnectionDone()))
        self.clock.advance(0.01)
        self.successResultOf(closing)

    def test_peer_that_takes_nothing_while_connections_are_closed_is_cut(self) -> None:
        protocol, transport = self.connect_narrow()
        protocol.stream.write(bytes(2 * FULL))
        closing = Deferred.fromCoroutine(self.factory.close_connections(patience=1))
        self.clock.pump([0.01] * 102)
        self.assertEqual(transport.end, "aborted")
        protocol.connectionLost(Failure(ConnectionDone()))
        self.clock.advance(0.01)
        self.successResultOf(closing)

    def test_what_is_written_to_a_peer_that_does_not_read_earns_it_no_more_time(self) -> None:
        self.factory = self.make_factory(Limits(stall_timeout=10))
        self.factory.startFactory()
        self.addCleanup(self.factory.stopFactory)
        protocol, transport = self.connect_narrow()
        other, other_transport = self.connect_narrow()
        for _ in range(10):
            protocol.stream.write(bytes(2 * FULL))
            other.stream.write(bytes(2 * FULL))
            other_transport.take(100 * FULL)
            self.clock.advance(1)
        self.assertEqual(transport.end, "aborted")
        self.assertIsNone(other_transport.end)
        self.assertEqual(self.factory.counters.stalled, 1)
