"""A client of a metrics site, in memory: sends bytes, and takes the response apart."""

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from lars.metrics.site import MetricsSite


class Scraper(StringTransport):
    """One connection to a site. As on a real one, an end is noticed in a later turn of the clock."""

    def __init__(self, site: MetricsSite, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.gone = False
        self._channel = site.buildProtocol(None)
        self.refused = self._channel is None
        if not self.refused:
            self._channel.makeConnection(self)

    def loseConnection(self) -> None:
        if not self.disconnecting:
            self.disconnecting = True
            self._clock.callLater(0, self.leave)

    def abortConnection(self) -> None:
        self.loseConnection()

    def leave(self) -> None:
        """The connection ends, whoever wanted it."""
        self.disconnecting = True
        if not self.gone:
            self.gone = True
            self._channel.connectionLost(Failure(ConnectionDone()))

    def send(self, data: bytes) -> None:
        """Sends bytes, if the connection is still there."""
        if not self.gone:
            self._channel.dataReceived(data)
        self._clock.advance(0)

    def ask(self, path: str, *headers: bytes, method: str = "GET") -> "Scraper":
        """Sends one request."""
        self.send(b"\r\n".join([f"{method} {path} HTTP/1.1".encode(), b"Host: lars", *headers, b"", b""]))
        return self

    @property
    def status(self) -> int:
        """The response's status; 0 if there is none."""
        return int(self.value().split(b" ", 2)[1]) if self.value() else 0

    @property
    def headers(self) -> dict[str, str]:
        """The response's headers, names in lower case."""
        lines = self.value().partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def body(self) -> bytes:
        """The response's body."""
        body: bytes = self.value().partition(b"\r\n\r\n")[2]
        return body
