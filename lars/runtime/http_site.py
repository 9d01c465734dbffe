"""HTTP connections of a service, bounded in number and ended in order: what console and metrics share."""

from typing import Any, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.resource import IResource
from twisted.web.server import Site

from lars.runtime.log_limit import LogLimit

_log = Logger()

LONGEST_LENGTH = 18
"""Digits of a Content-Length; of many thousands, int() would raise an exception."""


class BoundedChannel(http.HTTPChannel):
    """One connection of a BoundedSite."""

    site: "BoundedSite"

    def connectionMade(self) -> None:
        super().connectionMade()  # type: ignore[no-untyped-call]  # Twisted's has no types
        self.site.channels.add(self)

    def headerReceived(self, line: bytes) -> bool:
        name, _colon, value = line.partition(b":")
        if name.lower() == b"content-length" and len(value.strip()) > LONGEST_LENGTH:
            self._respondToBadRequestAndDisconnect()  # type: ignore[no-untyped-call]  # as Twisted refuses other heads
            return False
        return bool(super().headerReceived(line))  # type: ignore[no-untyped-call]  # Twisted's has no types

    def abort(self) -> None:
        """Cuts the connection now."""
        cast(ITCPTransport, self.transport).abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)  # type: ignore[no-untyped-call]  # Twisted's has no types
        self.site.channel_lost(self)


def host_of(addr: object) -> str:
    """The IP address of a peer; empty for what has none, such as a UNIX socket."""
    return addr.host if isinstance(addr, IPv4Address | IPv6Address) else ""


class BoundedSite(Site):
    """A site of HTTP/1.1 that closes connections beyond a number, and counts them.

    Args:
        reactor: the reactor, or a Clock in tests.
        root: what the requests are answered by.
        max_connections: connections open at once; more are closed, counted and logged.
        idle_timeout: seconds that a client may take between two bytes of a request, and between two requests; None
            for no limit.
    """

    noisy = False
    protocol = BoundedChannel  # type: ignore[assignment]  # its type is the one that Twisted happens to have there

    def __init__(
        self, reactor: IReactorTime, root: IResource, max_connections: int, idle_timeout: float | None
    ) -> None:
        super().__init__(root, timeout=idle_timeout, reactor=reactor)  # type: ignore[no-untyped-call]  # Twisted
        self._max_connections = max_connections
        self._emptied: Deferred[None] | None = None
        self.log_limit = LogLimit(reactor.seconds)
        self.channels: set[BoundedChannel] = set()
        self.refused = 0
        """Connections closed because too many were open."""

    @property
    def open(self) -> int:
        """Connections open now."""
        return len(self.channels)

    def admits(self, addr: IAddress | None) -> bool:
        """Whether there is a place for a new connection of this address."""
        return len(self.channels) < self._max_connections

    def buildProtocol(self, addr: IAddress | None) -> Any:
        if not self.admits(addr):
            self.refused += 1
            if times := self.log_limit.admit("refused"):
                _log.warn(
                    "HTTP connection from {peer} closed: all places for it are taken, of {limit} ({times} such since "
                    "the last line)",
                    peer=host_of(addr) or addr,
                    limit=self._max_connections,
                    times=times,
                )
            return None
        return super().buildProtocol(addr)  # type: ignore[no-untyped-call]  # Twisted's has no types

    def acceptableProtocols(self) -> list[bytes]:
        """HTTP/1.1 alone, also where the h2 package is installed."""
        return [b"http/1.1"]

    def channel_lost(self, channel: BoundedChannel) -> None:
        """Notes that a connection is gone."""
        self.channels.discard(channel)
        if self._emptied is not None and not self.channels:
            emptied, self._emptied = self._emptied, None
            emptied.callback(None)

    async def drop_all(self) -> None:
        """Ends every connection now; returns when none is left."""
        for channel in tuple(self.channels):
            channel.abort()
        if self.channels:
            self._emptied = Deferred()
            await self._emptied
