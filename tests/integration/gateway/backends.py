"""HTTP servers that say which one they are, on one port of several addresses of the loopback."""

from typing import Any

from twisted.internet.defer import gatherResults, maybeDeferred
from twisted.internet.interfaces import IListeningPort
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from bench.processes.ports import ReservedPort


class _Name(Resource):
    isLeaf = True

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def render_GET(self, request: Request) -> bytes:
        return self._name.encode()


class Backends:
    """Servers at 127.0.0.2, 127.0.0.3 and so on, which answer with their addresses."""

    def __init__(self, reactor: Any, count: int) -> None:
        with ReservedPort() as port:
            self.port = port.number
        self.hosts = [f"127.0.0.{n}:{self.port}" for n in range(2, 2 + count)]
        self._ports: list[IListeningPort] = [
            reactor.listenTCP(self.port, Site(_Name(host)), interface=host.split(":")[0]) for host in self.hosts
        ]

    async def close(self) -> None:
        await gatherResults([maybeDeferred(port.stopListening) for port in self._ports])
