"""The wall clock steps, forward and back, while everything goes on: no timer and no age follows it."""

import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
from twisted.internet.threads import deferToThread

from bench.processes.twistd import checkout_environ
from lars.client import LarsClient
from lars.db.accounts import AccountStore, Session
from lars.db.database import Database
from lars.runtime.periodic import Periodic
from lars.web.auth.secrets import digest_of, new_secret
from tests.integration.conftest import StartService
from tests.integration.processes import Child
from tests.integration.stepped_clock import SteppedClock
from tests.integration.waiting import until
from tests.integration.web.conftest import Site, token_of

MINUTE, HOUR, YEAR = 60, 3600, 365 * 86_400

CALLED, FAILING, ALIVE, SILENT = "10.0.0.1:80", "10.0.0.2:80", "10.1.0.1:80", "10.1.0.2:80"


TURNS = """
import sys
from importlib import import_module
import_module(f"twisted.internet.{sys.argv[1]}reactor").install()
from twisted.internet.task import LoopingCall
from lars.runtime.reactor import monotonic_reactor
reactor = monotonic_reactor()
LoopingCall(lambda: print("turn", flush=True)).start(0.02)
reactor.run()
"""


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        return None


class Visitor:
    """Asks the site, as a program with a token and as a browser with a session."""

    def __init__(self, site: Site, token: str, session: str) -> None:
        self._site = site
        self._headers = {"Authorization": f"Bearer {token}", "Cookie": f"lars_session={session}"}
        self._opener = build_opener(_NoRedirect)

    async def ask(self, method: str, path: str) -> tuple[int, str]:
        """The status of an answer, and the time that it says."""

        def ask() -> tuple[int, str]:
            try:
                with self._opener.open(Request(self._site.base + path, None, self._headers, method=method)) as answer:
                    return answer.status, answer.headers["Date"]
            except HTTPError as error:
                with error:
                    return error.code, error.headers["Date"]

        answer: tuple[int, str] = await deferToThread(ask)
        return answer

    async def put(self, module: str, host: str, query: str = "") -> int:
        return (await self.ask("PUT", f"/api/v1/modules/{module}/hosts/{host}{query}"))[0]

    def stream(self) -> socket.socket:
        """An open stream of events; closed by the server, it is readable to its end."""
        where = self._site.base.removeprefix("http://")
        host, port = where.split(":")
        stream = socket.create_connection((host, int(port)), 10)
        head = f"GET /live/fleet HTTP/1.1\r\nHost: {where}\r\nCookie: {self._headers['Cookie']}\r\n\r\n"
        stream.sendall(head.encode())
        assert stream.recv(4096).startswith(b"HTTP/1.1 200")
        return stream


@pytest.fixture
def site(reactor: Any, start_service: StartService, stepped_clock: SteppedClock, tmp_path: Path) -> Iterator[Site]:
    """All of Lars on a wall clock that steps; an ejected host is tried again after 2 s."""
    hasty = {
        "dns": "[dns]\npoll_interval = 0.1\n",
        "reporter": "[reporter]\nflush_interval = 0.1\n",
        "agent": "[agent]\nreport_interval = 0.2\n[balance]\npolicy = classic\n[loadbalance]\noverload_timeout = 2\n",
    }
    for name, text in hasty.items():
        (tmp_path / f"hasty-{name}.conf").write_text(text, encoding="utf-8")
    options = [f"--{name}-config={tmp_path}/hasty-{name}.conf" for name in hasty]
    site = Site(reactor, start_service, tmp_path, *options, environ=stepped_clock.environ)
    yield site
    site.close()


async def test_steps_of_the_clock_stop_nothing_end_nothing_and_remove_nothing(
    reactor: Any, site: Site, stepped_clock: SteppedClock, open_database: Callable[[str], Database]
) -> None:
    await site.up()
    database = open_database(site.commands.database_url)
    session = new_secret()
    token = await token_of(site, "editor")
    await AccountStore(database).begin_session(
        Session(digest_of(session), "program-editor", 0, int(time.time()) + 600), 0
    )
    visitor = Visitor(site, token, session)
    client = LarsClient(site.agent, timeout=1.0, cache=False, state_dir="")

    async def calls(column: str) -> int:
        rows = await database.read("test", lambda txn: txn.all(f"SELECT SUM({column}) FROM ServerCallHistory"))
        return int(rows[0][0] or 0)

    def route(cmdid: int) -> set[str]:
        return {str(host) for host in client.get_route(1, cmdid)}

    def serves(host: str) -> bool:
        return host in route(2)

    async def counted(number: int) -> bool:
        return await calls("succ_cnt") == number

    def chosen() -> str:
        return str(client.get_host(1, 1))

    statuses = [await visitor.put("1/1", host) for host in (CALLED, FAILING)]
    assert statuses == [201, 201]
    await until(reactor, lambda: route(1) == {CALLED, FAILING}, "the first hosts")

    renewals: list[int] = []

    async def renew() -> None:
        renewals.append(await visitor.put("1/2", ALIVE, "?ttl=3"))

    renewing = Periodic("renewing", 0.4, renew, reactor)
    renewing.start(now=True)
    assert await visitor.put("1/2", SILENT, "?ttl=3600") == 201
    stream = visitor.stream()
    try:
        for number, offset in enumerate((MINUTE, -MINUTE, HOUR, -HOUR, YEAR, -YEAR, 0), 1):
            if offset == -HOUR:
                failing = next(host for host in client.get_route(1, 1) if str(host) == FAILING)
                for _ in range(30):
                    client.report(failing, retcode=1)
                assert Counter(chosen() for _ in range(22))[FAILING] == 2, "ejected, and only probed"
            stepped_clock.set(offset)
            new = f"10.0.1.{number}:80"
            assert await visitor.put("1/2", new) == 201
            await until(reactor, partial(serves, new), f"an edit to arrive at {offset:+}", 3)
            client.report(next(host for host in client.get_route(1, 1) if str(host) == CALLED))
            await until(reactor, partial(counted, number), f"a call to be counted at {offset:+}", 3)
            status, date = await visitor.ask("GET", "/")
            assert status == 200, f"signed out at {offset:+}"
            shown = parsedate_to_datetime(date).timestamp() - time.time()
            assert abs(shown - offset) < 5, f"the clock of lars-web did not step to {offset:+}: {date}"
            assert {ALIVE, SILENT} <= route(2), f"a lease ended at {offset:+}"
        assert await calls("err_cnt") == 30
        await until(reactor, lambda: Counter(chosen() for _ in range(22))[FAILING] == 11, "the ejected host to return")
        assert set(renewals) <= {201, 204}
        assert is_open(stream), "the stream of events has ended"
        silent_since = time.monotonic()
        await renewing.stop()
        await until(reactor, lambda: ALIVE not in route(2), "a silent host to leave")
        assert time.monotonic() - silent_since > 3
        assert SILENT in route(2)
    finally:
        await renewing.stop()
        stream.close()
        client.close()


def is_open(stream: socket.socket) -> bool:
    """Whether the server has not closed a stream."""
    stream.setblocking(False)
    try:
        while stream.recv(65536):
            pass
    except BlockingIOError:
        return True
    return False


@pytest.mark.parametrize("kind", ["select", "poll", "epoll", "asyncio"])
async def test_timers_of_every_reactor_go_on(
    reactor: Any, stepped_clock: SteppedClock, tmp_path: Path, kind: str
) -> None:
    environ = {**checkout_environ(), **stepped_clock.environ}
    with Child(reactor, kind, [sys.executable, "-c", TURNS, kind], tmp_path, environ) as child:
        child.start()
        for offset in (0, -HOUR, HOUR, 0):
            stepped_clock.set(offset)
            await child.says("turn", times=child.log().count("turn") + 3, deadline=5)
