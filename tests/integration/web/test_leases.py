"""Leases and several lars-web, whose clocks differ."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from twisted.internet.threads import deferToThread

from bench.processes.http import get
from lars.db.accounts import AccountStore, NewToken
from lars.db.database import Database
from lars.runtime.periodic import Periodic
from lars.web.auth.secrets import TOKEN_PREFIX, digest_of, new_secret
from tests.integration.conftest import StartService
from tests.integration.fleet import Commands
from tests.integration.processes import ReservedPort
from tests.integration.stepped_clock import SteppedClock
from tests.integration.waiting import until

AHEAD = 20


@pytest.fixture
def ports() -> Iterator[list[ReservedPort]]:
    reserved = [ReservedPort() for _ in range(3)]
    yield reserved
    for port in reserved:
        port.close()


async def test_clock_of_a_lars_web_neither_ends_a_lease_nor_makes_it_last(
    reactor: Any,
    start_service: StartService,
    stepped_clock: SteppedClock,
    open_database: Callable[[str], Database],
    mariadb_url: str,
    ports: list[ReservedPort],
    tmp_path: Path,
) -> None:
    Commands(mariadb_url, "", tmp_path).ok("db", "init")
    right, ahead, metrics = ports
    stepped_clock.set(AHEAD)
    options = ["--db", mariadb_url]
    first = start_service("lars-web", *options, f"--listen={right.endpoint}", name="right")
    second = start_service(
        "lars-web",
        *options,
        f"--listen={ahead.endpoint}",
        f"--metrics={metrics.endpoint}",
        name="ahead",
        environ=stepped_clock.environ,
    )
    for service in (first, second):
        await service.says("lars-web answers on")
    token = TOKEN_PREFIX + new_secret()
    accounts = AccountStore(open_database(mariadb_url))
    await accounts.add("test", "node", "no hash", "editor", 0)
    await accounts.add_token("test", NewToken(digest_of(token), "test", "node", "editor"), 0)

    async def ask(port: ReservedPort, method: str, path: str) -> str:
        url = f"http://127.0.0.1:{port.number}/api/v1/modules/1/1{path}"
        request = Request(url, None, {"Authorization": f"Bearer {token}"}, method=method)

        def read() -> str:
            with urlopen(request, timeout=20) as answer:
                return bytes(answer.read()).decode()

        answer: str = await deferToThread(read)
        return answer

    async def hosts() -> set[str]:
        return {host["host"] for host in json.loads(await ask(right, "GET", ""))["hosts"]}

    alive = [f"10.0.0.{n}:80" for n in range(1, 5)]
    silent = "10.0.0.9:80"

    async def renew() -> None:
        for host in alive:
            await ask(right, "PUT", f"/hosts/{host}?ttl=3")

    renewing = Periodic("renewing", 0.5, renew, reactor)
    await renew()
    await ask(ahead, "PUT", f"/hosts/{silent}?ttl=3")
    renewing.start()
    try:
        seen: set[str] = set()

        async def is_gone() -> bool:
            now = await hosts()
            assert set(alive) <= now, "hosts that renew have left"
            seen.update(now)
            return silent not in now

        await until(reactor, is_gone, "the silent host to leave", 12)
        assert silent in seen
    finally:
        await renewing.stop()
    await second.says(f"the clock of this machine is {AHEAD} s ahead of the database's")
    [skew] = [
        line for line in get(metrics.number, "/metrics")[1].splitlines() if line.startswith("lars_web_clock_skew")
    ]
    assert abs(float(skew.split()[1]) - AHEAD) < 2
    assert "ahead of the database" not in first.log()
