"""A reverse proxy at a path of its own, as nginx is configured: run with its port, those of the consoles by commas,
to which requests go in turn, and the path.

Options: --pass-on passes the path on, as `proxy_pass http://console;` does; without it, the path is taken off and
named in X-Forwarded-Prefix.
"""

import sys
from collections.abc import Iterator
from itertools import cycle
from typing import Any
from urllib.parse import quote

from twisted.internet import reactor as _reactor
from twisted.web.proxy import ReverseProxyResource
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

HOST = "127.0.0.1"


class Proxied(ReverseProxyResource):
    """Says of each request whom it comes from."""

    prefix = b""
    ports: Iterator[int]

    def render(self, request: Request) -> Any:
        if not self.path:
            return self.getChild(b"", request).render(request)
        self.port = next(self.ports)
        headers = request.requestHeaders
        before = headers.getRawHeaders(b"X-Forwarded-For", [])
        headers.setRawHeaders(b"X-Forwarded-For", [b", ".join([*before, request.getClientAddress().host.encode()])])
        headers.setRawHeaders(b"X-Forwarded-Proto", [b"http"])
        if self.prefix:
            headers.setRawHeaders(b"X-Forwarded-Prefix", [self.prefix])
        return super().render(request)

    def getChild(self, path: bytes, request: Request) -> Resource:
        child = Proxied(self.host, self.port, self.path + b"/" + quote(path, safe=b"").encode(), self.reactor)
        child.prefix, child.ports = self.prefix, self.ports
        return child


def main() -> None:
    """Runs until it is ended."""
    reactor: Any = _reactor
    port, consoles, path = int(sys.argv[1]), sys.argv[2].split(","), sys.argv[3].encode()
    passed_on = "--pass-on" in sys.argv
    proxied = Proxied(HOST, 0, b"/" + path if passed_on else b"", reactor)
    proxied.prefix = b"" if passed_on else b"/" + path
    proxied.ports = cycle(map(int, consoles))
    root = Resource()
    root.putChild(path, proxied)
    reactor.listenTCP(port, Site(root), interface=HOST)
    reactor.callWhenRunning(print, "proxied", flush=True)
    reactor.run()


if __name__ == "__main__":
    main()
