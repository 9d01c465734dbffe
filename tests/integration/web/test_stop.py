"""SIGTERM ends lars-web, and a whole Lars, in order and within five seconds, whatever the database does."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from bench.processes.twistd import checkout_environ, twistd_command
from lars.db.accounts import AccountStore, NewToken
from lars.db.database import Database
from lars.db.schema import init_txn
from lars.web.auth.secrets import TOKEN_PREFIX, digest_of, new_secret
from tests.integration.conftest import StartService
from tests.integration.mariadb import MariaDb
from tests.integration.processes import Child
from tests.integration.running_service import RunningService
from tests.integration.silent_dns import LOOK_UP, looks_up, with_silent_dns
from tests.integration.waiting import until
from tests.integration.web.conftest import Site

IN_TIME = 5.0


def registration(web: RunningService, token: str, port: int = 80) -> Deferred[None]:
    """A program that registers a host; fires when it has been answered or its connection was cut."""

    def register() -> None:
        with closing(HTTPConnection("127.0.0.1", web.port, timeout=30)) as connection, suppress(HTTPException, OSError):
            path = f"/api/v1/modules/1/1/hosts/10.0.0.1:{port}?ttl=15"
            connection.request("PUT", path, headers={"Authorization": f"Bearer {token}"})
            connection.getresponse()

    return deferToThread(register)


@pytest.fixture
def locked() -> Iterator[Callable[[Path], None]]:
    """Locks SQLite files for everybody else."""
    connections = []

    def lock(file: Path) -> None:
        connections.append(sqlite3.connect(file, isolation_level=None))
        connections[-1].execute("BEGIN EXCLUSIVE")

    yield lock
    for connection in connections:
        connection.close()


@pytest.fixture(params=["locked SQLite", "hung MariaDB"])
def hanging(
    request: pytest.FixtureRequest, tmp_path: Path, locked: Callable[[Path], None]
) -> tuple[str, Callable[[], None]]:
    """A database's URL, and what makes it hang."""
    if request.param == "locked SQLite":
        file = tmp_path / "lars.db"
        return f"sqlite:///{file}", lambda: locked(file)
    mariadb: MariaDb = request.getfixturevalue("own_mariadb")
    return mariadb.url(mariadb.new_database()), mariadb.pause


async def test_registration_that_waits_for_a_database_that_hangs_delays_no_end(
    reactor: Any,
    start_service: StartService,
    open_database: Callable[[str], Database],
    hanging: tuple[str, Callable[[], None]],
) -> None:
    url, hang = hanging
    database, secret = open_database(url), TOKEN_PREFIX + new_secret()
    await database.write("create the schema", init_txn)
    accounts = AccountStore(database)
    await accounts.add("test", "lea", "no hash", "editor", 0)
    await accounts.add_token("test", NewToken(digest_of(secret), "test", "lea", "editor"), 0)
    web = RunningService(start_service, "lars-web", url)
    try:
        await web.up()
        await registration(web, secret)
        hang()
        waiting = registration(web, secret, port=81)
        await until(reactor, lambda: web.number("lars_web_registrations_total") == 2, "the registration to arrive")
        began = reactor.seconds()
        await web.service.stopped(IN_TIME + 1)
        assert reactor.seconds() - began < IN_TIME
        await waiting
    finally:
        web.close()


async def test_whole_lars_ends_in_time_when_its_database_is_locked(
    reactor: Any, site: Site, locked: Callable[[Path], None], tmp_path: Path
) -> None:
    await site.up()
    site.commands.ok("route", "add", "1", "1", "10.0.0.1:80")
    await until(reactor, lambda: site.commands.run("get-host", "1", "1").returncode == 0, "the route to be there")
    locked(tmp_path / "lars.db")
    site.commands.ok("report", "1", "1", "10.0.0.1:80", "0")
    await site.stack.says("trying again", deadline=20)
    began = reactor.seconds()
    await site.stack.stopped(IN_TIME + 1)
    assert reactor.seconds() - began < IN_TIME


@pytest.mark.parametrize("plugin", ["lars-web", "lars-dns", "lars-reporter", "lars-agent"])
async def test_look_up_of_a_name_that_hangs_delays_no_end(reactor: Any, tmp_path: Path, plugin: str) -> None:
    services = ("--db=mysql://a:b@db.example/lars", "--listen=tcp:7000:interface=127.0.0.1")
    agent = (
        "--dns=db.example:7778",
        "--reporter=db.example:7779",
        "--listen=127.0.0.1:8888",
        f"--state-dir={tmp_path}",
    )
    command = twistd_command(plugin, *(agent if plugin == "lars-agent" else services))
    with Child(reactor, plugin, with_silent_dns(command), tmp_path, {**checkout_environ(), **LOOK_UP}) as service:
        service.start()
        about_name = "db.example"  # in the log, where names are looked up as everywhere
        await until(reactor, lambda: looks_up(service.pid) or about_name in service.log(), "a look-up")
        began = reactor.seconds()
        service.terminate()
        await service.ended(IN_TIME + 25)
        assert reactor.seconds() - began < IN_TIME
