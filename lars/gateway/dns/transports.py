"""DNS over UDP and TCP (RFC 1035, 4.2; RFC 7766)."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import DatagramProtocol, ServerFactory, connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import Int16StringReceiver
from twisted.python.failure import Failure

from lars.gateway.dns.resolver import Resolver
from lars.runtime.log_limit import LogLimit

_log = Logger()

MAX_QUERY = 4_096
"""Bytes of a datagram that are read: more than any query has."""

IDLE = 10.0
"""Seconds in which a connection must bring its next query (RFC 7766, 6.2.3: a few seconds)."""


class DnsDatagrams(DatagramProtocol):
    """The UDP port."""

    noisy = False

    def __init__(self, resolver: Resolver, clock: IReactorTime) -> None:
        self._resolver = resolver
        self._log_limit = LogLimit(clock.seconds)

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        self._resolver.handle(datagram, False, lambda answer: self._send(answer, addr))

    def _send(self, answer: bytes, addr: tuple[str, int]) -> None:
        if self.transport is None:
            return
        try:
            self.transport.write(answer, addr)
        except OSError as error:  # port 0, or a network that is gone
            if times := self._log_limit.admit("unsendable"):
                _log.warn(
                    "a DNS answer to {ip}:{port} cannot be sent: {reason} ({times} such since the last line)",
                    ip=addr[0],
                    port=addr[1],
                    reason=error.strerror,
                    times=times,
                )


class DnsConnection(Int16StringReceiver):
    """One TCP connection. While its client takes no answers, no queries are read."""

    factory: "DnsConnections"
    _deadline: IDelayedCall

    def connectionMade(self) -> None:
        self.factory.connections.add(self)
        self._transport.setTcpNoDelay(True)
        self._transport.registerProducer(self, True)
        self._deadline = self.factory.clock.callLater(IDLE, self.abort)

    @property
    def _transport(self) -> Any:  # an ITCPTransport and IConsumer
        return self.transport

    def abort(self) -> None:
        """Cuts the connection now."""
        self._transport.abortConnection()

    def stringReceived(self, string: bytes) -> None:
        self._deadline.reset(IDLE)
        self.factory.resolver.handle(string, True, self._send)

    def _send(self, answer: bytes) -> None:
        if self in self.factory.connections:
            self.sendString(answer)  # type: ignore[no-untyped-call]  # Twisted's has no types

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.factory.connection_lost(self)
        if self._deadline.active():
            self._deadline.cancel()


class DnsConnections(ServerFactory):
    """The TCP port; connections beyond a number are closed and counted."""

    noisy = False

    def __init__(self, resolver: Resolver, clock: IReactorTime, max_connections: int) -> None:
        self.resolver = resolver
        self.clock = clock
        self._max_connections = max_connections
        self._log_limit = LogLimit(clock.seconds)
        self._emptied: Deferred[None] | None = None
        self.connections: set[DnsConnection] = set()
        self.refused = 0
        """Connections closed because too many were open."""

    def buildProtocol(self, addr: IAddress | None) -> Any:
        if len(self.connections) >= self._max_connections:
            self.refused += 1
            if times := self._log_limit.admit("refused"):
                _log.warn(
                    "DNS connection from {peer} closed: all places are taken, of {limit} ({times} such since the last "
                    "line)",
                    peer=getattr(addr, "host", addr),
                    limit=self._max_connections,
                    times=times,
                )
            return None
        connection = DnsConnection()
        connection.factory = self
        return connection

    def connection_lost(self, connection: DnsConnection) -> None:
        """Notes that a connection is gone."""
        self.connections.discard(connection)
        if self._emptied is not None and not self.connections:
            emptied, self._emptied = self._emptied, None
            emptied.callback(None)

    async def drop_all(self) -> None:
        """Ends every connection now; returns when none is left."""
        for connection in tuple(self.connections):
            connection.abort()
        if self.connections:
            self._emptied = Deferred()
            await self._emptied
