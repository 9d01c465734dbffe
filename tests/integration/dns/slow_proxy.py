"""A TCP proxy between lars-dns and its database: it delays every byte, and cuts connections in mid-answer."""

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure


class _Side(Protocol):
    """One end of a proxied connection; what it receives is written to the other end, later."""

    def __init__(self, proxy: "SlowProxy", other: "_Side | None" = None) -> None:
        self._proxy = proxy
        self._from_server = other is not None
        self._passed = 0
        self._waiting: list[bytes] = []
        self.other = other

    def connectionMade(self) -> None:
        self._proxy.sides.add(self)
        if self.other is not None:
            self.other.joined(self)
        else:
            self._proxy.dial(self)

    def joined(self, other: "_Side") -> None:
        """The other end is connected too."""
        self.other = other
        for data in self._waiting:
            self._later(data)

    def dataReceived(self, data: bytes) -> None:
        if self.other is None:
            self._waiting.append(data)
        else:
            self._later(data)

    def _later(self, data: bytes) -> None:
        self._proxy.reactor.callLater(self._proxy.delay, self._pass, data)

    def _pass(self, data: bytes) -> None:
        if self.other is None or self.other.transport is None:
            return
        allowed = self._proxy.cut_after - self._passed if self._from_server else len(data)
        self._passed += len(data)
        self.other.transport.write(data[: max(0, allowed)])
        if allowed < len(data):
            self.other.end()

    def end(self) -> None:
        """Closes this end when all is written."""
        if self.transport is not None:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._proxy.sides.discard(self)
        if self.other is not None:
            self.other.end()


class SlowProxy(Factory):
    """Listens on a port of its own and passes every connection on to the port of the server."""

    noisy = False

    def __init__(self, reactor: Any, server_port: int) -> None:
        self.reactor = reactor
        self.delay = 0.0
        """Seconds that everything takes, in each direction."""
        self.cut_after = 2**60
        """Bytes from the server after which a connection is cut."""
        self.sides: set[_Side] = set()
        self._server = TCP4ClientEndpoint(reactor, "127.0.0.1", server_port)
        self._listening: IListeningPort | None = None

    async def listen(self) -> int:
        """Opens it; its port."""
        self._listening = await TCP4ServerEndpoint(self.reactor, 0, interface="127.0.0.1").listen(self)
        address = self._listening.getHost()
        assert isinstance(address, IPv4Address)
        return address.port

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        return _Side(self)

    def dial(self, client: _Side) -> None:
        """Connects a client's other end."""
        factory = Factory.forProtocol(lambda: _Side(self, client))
        factory.noisy = False
        self._server.connect(factory).addErrback(lambda _failure: client.end())

    async def close(self) -> None:
        """Closes it and every connection."""
        if self._listening is not None:
            await maybeDeferred(self._listening.stopListening)
        for side in tuple(self.sides):
            side.end()
