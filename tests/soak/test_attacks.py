"""Floods at every port of a whole Lars: its memory stays within a stated bound, and its agent answers all the while."""

import logging
import re
import resource
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest_twisted

from bench.processes.waiting import until as wait_until
from lars.db.accounts import AccountStore, Session
from lars.db.database import Database
from lars.web.auth.secrets import digest_of, new_secret
from lars.wire.lars_pb2 import GetRouteRequest, HostCallResult, ReportStatusRequest
from lars.wire.messages import MessageId, encode_message
from tests.integration.fleet import StartService
from tests.integration.waiting import until
from tests.integration.web.conftest import Site
from tests.integration.web.test_abuse import answered_throughout, memory

_log = logging.getLogger(__name__)

EACH = 2_000
"""Half-open connections to each port."""

BEGINNINGS = (
    b"",
    b"\x02",
    b"\x01\x00\x00\x00\x08\x00",
    b"GET / HTTP/1.1\r\nHost: x\r\nCookie: ",
    b"POST / HTTP/1.1\r\n",
)

GROWTH_MB = {"half-open": 120, "subscriptions": 100, "strangers": 150, "streams": 150}
"""How much memory all of Lars, in one process, may take more than before."""


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def lars(reactor: Any, start_service: StartService, tmp_path: Path) -> AsyncIterator[Site]:
    """A whole Lars with one route, and files enough on both sides."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    site = Site(reactor, start_service, tmp_path)
    try:
        await site.up()
        site.commands.ok("route", "add", "1", "1", "10.0.0.1:80")
        await until(reactor, lambda: site.commands.run("get-host", "1", "1").returncode == 0, "the route to be there")
        yield site
    finally:
        site.close()


@contextmanager
def bounded(site: Site, attack: str) -> Iterator[None]:
    """The attack within it takes no more memory than it may; --log-level=INFO shows what it took at most."""
    before = memory(site, "VmRSS")
    yield
    grown = memory(site, "VmHWM") - before
    _log.info("%s: %d MiB more than %d MiB", attack, grown, before)
    assert grown < GROWTH_MB[attack]


async def test_thousands_of_half_open_connections_at_every_port(lars: Site) -> None:
    def attack() -> int:
        opened = 0
        with ExitStack() as stack:
            for number in range(EACH):
                for port in lars.ports:
                    peer = stack.enter_context(socket.create_connection(("127.0.0.1", port.number), 10))
                    peer.sendall(BEGINNINGS[number % len(BEGINNINGS)])
                    opened += 1
            wait_until(lambda: len(list(Path(f"/proc/{lars.stack.pid}/fd").iterdir())) > EACH, "all accepted", 60)
        return opened

    with bounded(lars, "half-open"):
        assert await answered_throughout(lars, attack) == EACH * len(lars.ports)


def _stream(port: int, messages: Iterator[bytes]) -> int:
    """Sends messages, a thousand at a time, until all are sent or the other side has closed; how many were sent."""
    sent = 0
    with socket.create_connection(("127.0.0.1", port), 30) as peer:
        Thread(target=_read_all, args=(peer,), daemon=True).start()
        lot = b"".join(message for message, _ in zip(messages, range(1000), strict=False))
        while lot:
            try:
                peer.sendall(lot)
            except OSError:
                break
            sent += 1000
            lot = b"".join(message for message, _ in zip(messages, range(1000), strict=False))
    return sent


def _read_all(peer: socket.socket) -> None:
    try:
        while peer.recv(65536):
            pass
    except OSError:
        pass


async def test_subscriptions_to_a_million_modules(lars: Site) -> None:
    def requests() -> Iterator[bytes]:
        for number in range(1_000_000):
            yield encode_message(MessageId.GET_ROUTE_REQUEST, GetRouteRequest(modid=1000 + number, cmdid=1))

    with bounded(lars, "subscriptions"):
        assert await answered_throughout(lars, lambda: _stream(lars.ports[0].number, requests())) > 0


async def test_reports_for_a_million_strangers(lars: Site) -> None:
    """Each connection is dropped at its seventeenth caller, and the next one goes on."""

    def reports(first: int) -> Iterator[bytes]:
        for caller in range(first, first + 1000):
            result = HostCallResult(ip=0x0A000001, port=80, succ=1)
            report = ReportStatusRequest(modid=1, cmdid=1, caller=0x0B000000 + caller, results=[result], ts=1)
            yield encode_message(MessageId.REPORT_STATUS_REQUEST, report)

    def attack() -> int:
        return sum(_stream(lars.ports[1].number, reports(first)) for first in range(0, 1_000_000, 1000))

    with bounded(lars, "strangers"):
        assert await answered_throughout(lars, attack) > 0


async def test_ten_thousand_event_streams(reactor: Any, lars: Site, open_database: Callable[[str], Database]) -> None:
    """Of a signed-in user; max_connections of them are served, and the rest is closed."""
    lars.add_user("lea", "viewer")
    secret = new_secret()
    accounts = AccountStore(open_database(lars.commands.database_url))
    await accounts.begin_session(Session(digest_of(secret), "lea", 0, 2**31), reactor.seconds())
    head = f"GET /live/fleet HTTP/1.1\r\nHost: x\r\nCookie: lars_session={secret}\r\n\r\n".encode()

    def attack() -> int:
        served = 0
        with ExitStack() as stack:
            peers = []
            for _ in range(10_000):
                peer = stack.enter_context(socket.create_connection(("127.0.0.1", lars.ports[2].number), 10))
                try:
                    peer.sendall(head)
                except OSError:
                    continue
                peers.append(peer)
            for peer in peers[:200]:
                try:
                    served += bool(re.match(rb"HTTP/1.1 200", peer.recv(4096)))
                except OSError:
                    continue
        return served

    with bounded(lars, "streams"):
        assert await answered_throughout(lars, attack) > 0
