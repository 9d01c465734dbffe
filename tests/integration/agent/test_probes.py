"""One health check of a real server: what each kind of answer is taken for, within its time."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.protocol import Factory, Protocol

from lars.agent.health.check import Check, Outcome
from lars.agent.health.probes import MAX_HEAD, probe
from lars.module_settings import with_defaults
from lars.route import HostAddress, parse_host
from tests.integration.processes import ReservedPort
from tests.integration.waiting import until

HTTP: dict[str, Any] = {"health_check.type": "http", "health_check.path": "/up", "health_check.timeout": 0.3}


def check(**settings: Any) -> Check:
    named = {f"health_check.{name}": value for name, value in settings.items()}
    return Check.of(with_defaults({**HTTP, **named}, "adaptive"))


class _Answers(Protocol):
    def __init__(self, server: "Server") -> None:
        self._server = server
        self._server.open += 1

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self._server.got += data
        for part in self._server.parts:
            self.transport.write(part)
        if self._server.closes:
            self.transport.loseConnection()

    def connectionLost(self, reason: object = None) -> None:
        self._server.open -= 1


class Server:
    """Answers each request with the same bytes."""

    def __init__(self, reactor: Any) -> None:
        self._port = reactor.listenTCP(0, Factory.forProtocol(lambda: _Answers(self)), interface="127.0.0.1")
        self.address = parse_host(f"127.0.0.1:{self._port.getHost().port}")
        self.parts: list[bytes] = []
        self.got = b""
        self.open = 0
        self.closes = True

    async def close(self) -> None:
        await self._port.stopListening()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def server(reactor: Any) -> AsyncIterator[Server]:
    server = Server(reactor)
    yield server
    await server.close()


Ask = Callable[..., Any]


@pytest.fixture
def ask(reactor: Any, server: Server) -> Ask:
    async def ask(*parts: bytes, closes: bool = True, **settings: Any) -> Outcome:
        server.parts, server.closes = list(parts), closes
        return await probe(reactor, check(**settings), server.address)

    return ask


async def test_status_decides_whatever_follows_it(ask: Ask, server: Server) -> None:
    for parts, kind in (
        ([b"HTTP/1.1 200 OK\r\n\r\n"], "passed"),
        ([b"HTTP/1.0 200\r\n\r\nbody"], "passed"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", b"x" * 100_000], "passed"),
        ([b"HT", b"TP/1.1 2", b"00 OK\r\n"], "passed"),
        ([b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"], "passed"),
        ([b"HTTP/1.1 503 Busy\r\n\r\n"], "status"),
        ([b"HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n"], "status"),
        ([b"SSH-2.0-OpenSSH\r\n"], "invalid"),
        ([b"HTTP/2 200\r\n"], "invalid"),
        ([], "invalid"),
    ):
        assert (await ask(*parts)).kind == kind, parts
    assert await ask(b"HTTP/1.1 204 None\r\n\r\n", status=204) == Outcome("passed")
    assert server.got.startswith(b"GET /up HTTP/1.1\r\nHost: 127.0.0.1:")


async def test_server_that_sends_without_end_is_cut_off(ask: Ask) -> None:
    outcome = await ask(b"HTTP/1.1 100 Continue\r\n", b"a: b\r\n" * MAX_HEAD, closes=False, timeout=2)
    assert outcome == Outcome("invalid", "no HTTP status")


async def test_server_that_accepts_and_hangs_fails_http_and_passes_tcp(ask: Ask, reactor: Any) -> None:
    begin = reactor.seconds()
    assert await ask(closes=False) == Outcome("timeout", "no answer in 0.3 s")
    assert reactor.seconds() - begin < 1
    assert await ask(b"HTTP/1.1 200", closes=False) == Outcome("timeout", "no answer in 0.3 s")
    assert (await ask(closes=False, type="tcp")).passed


async def test_nobody_listens_or_there_is_no_way(reactor: Any) -> None:
    port = ReservedPort()
    for type_ in ("tcp", "http"):
        outcome = await probe(reactor, check(type=type_), HostAddress(0x7F000001, port.number))
        assert outcome == Outcome("refused", "connection refused")
        outcome = await probe(reactor, check(type=type_), parse_host("255.255.255.255:80"))
        assert outcome == Outcome("unreachable", "no route to it")
    port.close()


async def test_check_that_is_cancelled_leaves_no_connection(reactor: Any, server: Server) -> None:
    server.closes = False
    checking = probe(reactor, check(timeout=60), server.address)
    checking.cancel()
    with pytest.raises((CancelledError, ConnectingCancelledError)):
        await checking
    await until(reactor, lambda: not server.open, "the connection to be closed")
