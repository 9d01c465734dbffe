"""Drains that end by themselves: real lars-web, real databases, and an agent that gives the host again."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lars.db.database import Database
from lars.db.routes import RouteStore
from lars.web.drains import ENDER
from tests.integration.conftest import StartService
from tests.integration.fleet import Commands, Fleet
from tests.integration.processes import ReservedPort, TwistdService
from tests.integration.stepped_clock import SteppedClock
from tests.integration.waiting import until

A, B = "127.0.0.1:9001", "127.0.0.1:9002"
AHEAD = 3600


@pytest.fixture
def ports() -> Iterator[list[ReservedPort]]:
    reserved = [ReservedPort() for _ in range(3)]
    yield reserved
    for port in reserved:
        port.close()


class Drained:
    """A database whose host A is drained by the command line, and what it says of it."""

    def __init__(self, reactor: Any, url: str, database: Database, folder: Path) -> None:
        self._reactor = reactor
        self._database = database
        self.commands = Commands(url, "", folder)
        self.commands.ok("db", "init")
        self.commands.ok("route", "add", "1", "1", A, B)

    async def weights(self) -> list[int]:
        rows = await RouteStore(self._database).routes(1, 1)
        return [record.weight for *_place, record in rows]

    async def actors(self) -> list[str]:
        rows = await self._database.read("audit", lambda txn: txn.all("SELECT actor FROM RouteAudit ORDER BY id"))
        return [str(actor) for (actor,) in rows]

    async def now(self) -> float:
        """The database's clock."""
        return await self._database.read("clock", lambda txn: txn.now())

    async def end(self) -> float:
        """When the drain ends, in Unix seconds."""
        rows = await RouteStore(self._database).routes(1, 1)
        return max(record.drained_until for *_place, record in rows)

    async def is_restored(self, deadline: float) -> float:
        """Waits for A's weight; returns the database's time then."""

        async def restored() -> bool:
            return await self.weights() == [100, 100]

        await until(self._reactor, restored, "the drain to end", deadline)
        return await self.now()


@pytest.fixture
def drained(reactor: Any, database_url: str, open_database: Callable[[str], Database], tmp_path: Path) -> Drained:
    return Drained(reactor, database_url, open_database(database_url), tmp_path)


async def test_two_lars_web_end_a_drain_once_in_time_also_one_that_was_over_while_neither_ran(
    start_service: StartService, drained: Drained, database_url: str, ports: list[ReservedPort]
) -> None:
    webs = [
        start_service("lars-web", "--db", database_url, f"--listen={port.endpoint}", name=f"web{n}")
        for n, port in enumerate(ports[:2])
    ]
    for web in webs:
        await web.says("lars-web answers on")
    drained.commands.ok("route", "drain", "1", "1", A, "--for", "3s", "--reason", "kernel update")
    end = await drained.end()
    assert await drained.weights() == [0, 100]
    then = await drained.is_restored(15)
    assert end <= then < end + 6
    assert (await drained.actors())[2:] == [ENDER]
    for web in webs:
        await web.stopped()
    assert sum(web.log().count(f"the drain of {A} of module (1, 1) is over") for web in webs) == 1

    drained.commands.ok("host", "drain", "127.0.0.1", "--for", "1s")
    assert await drained.weights() == [0, 0]
    webs[0].start()
    await webs[0].says("lars-web answers on", 2)
    await drained.is_restored(10)
    _add, person, *_ended, again, last = await drained.actors()
    assert (again, last) == (person, ENDER)


async def test_a_lars_web_whose_clock_is_ahead_ends_no_drain_early(
    reactor: Any,
    start_service: StartService,
    stepped_clock: SteppedClock,
    open_database: Callable[[str], Database],
    mariadb_url: str,
    ports: list[ReservedPort],
    tmp_path: Path,
) -> None:
    drained = Drained(reactor, mariadb_url, open_database(mariadb_url), tmp_path)
    stepped_clock.set(AHEAD)
    web: TwistdService = start_service(
        "lars-web", "--db", mariadb_url, f"--listen={ports[0].endpoint}", environ=stepped_clock.environ
    )
    await web.says("lars-web answers on")
    drained.commands.ok("route", "drain", "1", "1", A, "--for", "3s")
    end = await drained.end()
    then = await drained.is_restored(15)
    assert end <= then < end + 6


async def test_a_drain_reaches_the_agent_and_its_end_too(
    reactor: Any, start_service: StartService, database_url: str, tmp_path: Path, ports: list[ReservedPort]
) -> None:
    fleet = Fleet(reactor, start_service, database_url, tmp_path)
    web = start_service("lars-web", "--db", database_url, f"--listen={ports[0].endpoint}")
    try:
        await fleet.up()
        await web.says("lars-web answers on")
        fleet.commands.ok("route", "add", "1", "1", A, B)
        await fleet.serves(A, B)

        def given() -> set[str]:
            """The hosts of 20 successful calls."""
            hosts = [fleet.client.get_host(1, 1) for _ in range(20)]
            for host in hosts:
                fleet.client.report(host, 0)
            return {str(host) for host in hosts}

        await until(reactor, lambda: given() == {A, B}, "calls to both")
        fleet.commands.ok("route", "drain", "1", "1", A, "--for", "4s", "--reason", "kernel update")
        await until(reactor, lambda: given() == {B}, "no call to the drained host")
        assert all(given() == {B} for _ in range(5))
        assert fleet.hosts() == [A, B]
        await until(reactor, lambda: A in given(), "calls to the host whose drain is over", 15)
        assert "is over: calls go there again" in web.log()
    finally:
        fleet.close()
