"""Requests to a site in memory."""

from twisted.internet.testing import StringTransport
from twisted.web.server import Site


class Response(StringTransport):
    """One request to a site, and its answer taken apart."""

    def __init__(self, site: Site, method: str, path: str, body: bytes, *headers: bytes) -> None:
        super().__init__()
        channel = site.buildProtocol(None)
        channel.makeConnection(self)
        head = [f"{method} {path} HTTP/1.1".encode(), b"Host: lars", *headers]
        if body:
            head += [b"Content-Type: application/x-www-form-urlencoded", b"Content-Length: %d" % len(body)]
        channel.dataReceived(b"\r\n".join([*head, b"", body]))
        self.head, _, rest = self.value().decode().partition("\r\n\r\n")
        self.status = int(self.head.split(" ", 2)[1])
        self.text = rest
