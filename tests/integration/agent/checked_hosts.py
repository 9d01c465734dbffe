"""Hosts that serve, hang, refuse or say 503, and count who connects: business processes and health checks."""

import socket
from collections import Counter
from collections.abc import Sequence
from enum import Enum
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.threads import deferToThread

from bench.processes.ports import ReservedPort
from lars.client import LarsClient
from tests.integration.waiting import until

CALL = b"call\n"


class Mode(Enum):
    """What a host does with those who connect."""

    SERVES = "serves"
    HANGS = "hangs"
    """It accepts, and never answers."""
    BUSY = "busy"
    """It serves calls, and answers 503 to health checks."""


class _Connection(Protocol):
    def __init__(self, host: "CheckedHost") -> None:
        self._host = host

    def connectionMade(self) -> None:
        self._host.connections += 1

    def dataReceived(self, data: bytes) -> None:
        host = self._host
        assert self.transport is not None
        if data == CALL:
            host.calls += 1
        else:
            host.requests.append(data)
        if host.mode is Mode.HANGS:
            return
        if data == CALL:
            self.transport.write(b"served")
        else:
            status = b"503 Busy" if host.mode is Mode.BUSY else b"200 OK"
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 4\r\n\r\nwell")
        self.transport.loseConnection()


class CheckedHost:
    """A server of this process at a port that stays its own."""

    def __init__(self, reactor: Any, address: str = "127.0.0.1") -> None:
        self._reactor = reactor
        self._address = address
        self._reserved = ReservedPort()
        self._port: IListeningPort | None = None
        self.name = f"{address}:{self._reserved.number}"
        self.mode = Mode.SERVES
        self.connections = self.calls = 0
        self.requests: list[bytes] = []
        self.listen()

    def listen(self) -> None:
        """Serves, the first time or again."""
        self._port = self._reactor.listenTCP(
            self._reserved.number, Factory.forProtocol(lambda: _Connection(self)), interface=self._address
        )

    async def die(self) -> None:
        """Refuses connections from now on."""
        assert self._port is not None
        stopped: Deferred[None] | None = self._port.stopListening()
        self._port = None
        if stopped is not None:
            await stopped

    async def close(self) -> None:
        if self._port is not None:
            await self.die()
        self._reserved.close()


class Calls:
    """A business process that asks for each call, makes it, and reports how it went; `sent` counts by host."""

    def __init__(self, reactor: Any, agent: str) -> None:
        self._reactor = reactor
        self._agent = agent
        self._client = LarsClient(agent, timeout=1.0, cache=False, state_dir="")
        self.sent: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    def _call(self) -> None:
        host = self._client.get_host(1, 1)
        self.sent[str(host)] += 1
        try:
            with socket.create_connection((host.ip, host.port), 0.3) as connection:
                connection.sendall(CALL)
                assert connection.recv(10) == b"served"
        except (OSError, AssertionError):
            self.failed[str(host)] += 1
            self._client.report(host, retcode=1, cost=0.3)
        else:
            self._client.report(host, cost=0.001)

    async def make(self, times: int) -> None:
        """Makes calls one after the other."""
        for _ in range(times):
            await deferToThread(self._call)

    async def report_failures(self, name: str) -> None:
        """Two processes report that calls to a host have failed: one alone ejects none in its first ten seconds."""

        def report() -> None:
            for _ in range(2):
                with LarsClient(self._agent, timeout=1.0, cache=False, state_dir="") as client:
                    for host in client.get_route(1, 1):
                        if str(host) == name:
                            client.report(host, retcode=1, cost=0.001)

        await deferToThread(report)

    async def until(self, reached: Any, what: str, deadline: float = 15.0) -> None:
        """Makes calls until something is so."""

        async def one_more() -> bool:
            await self.make(1)
            return bool(reached())

        await until(self._reactor, one_more, lambda: f"{what}; sent {self.sent}, failed {self.failed}", deadline)

    def close(self) -> None:
        self._client.close()


def names(hosts: Sequence[CheckedHost]) -> list[str]:
    """ADDRESS:PORT of each."""
    return [host.name for host in hosts]
