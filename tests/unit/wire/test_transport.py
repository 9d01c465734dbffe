"""What the protocol asks of its transport: keepalive, no delay, a producer while it lives and none when it ends."""

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReactorFDSet, ITCPTransport
from twisted.internet.tcp import Connection
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from lars.wire.protocol import Limits
from tests.unit.wire.connected import REQUEST, Connected


@implementer(ITCPTransport)
class TcpTransport(StringTransport):
    """Remembers what was asked of it, in order."""

    def __init__(self) -> None:
        super().__init__()
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
        self.factory.protocol().makeConnection  # noqa: B018
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


@implementer(IReactorFDSet)
class Selector:
    """A reactor of which only the sets of readers and writers are used."""

    def __init__(self) -> None:
        self.writers: set[object] = set()

    def addReader(self, reader: object) -> None:
        pass

    removeReader = addReader

    def addWriter(self, writer: object) -> None:
        self.writers.add(writer)

    def removeWriter(self, writer: object) -> None:
        self.writers.discard(writer)


class Slow(Connection):
    """Twisted's own TCP connection, on a kernel that takes as many bytes as the test allows."""

    def __init__(self, selector: Selector) -> None:
        self.reactor = selector
        self.taken = b""
        self.room = 0
