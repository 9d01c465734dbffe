"""The fixtures of the tests of lars-dns under faults."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_twisted

from lars.db.database import Database
from lars.db.routes import RouteEdit
from lars.db.schema import init_txn
from tests.integration.conftest import StartService, launched_mariadb
from tests.integration.dns.agents import Agents
from tests.integration.dns.running import Routes, RunningDns
from tests.integration.dns.watched import NOW, A, M, Watched
from tests.integration.mariadb import MariaDb

StartDns = Callable[..., RunningDns]


@pytest.fixture(scope="session")
def _shaken_mariadb(reactor: Any) -> Iterator[MariaDb]:
    yield from launched_mariadb(reactor)


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def shaky_mariadb(_shaken_mariadb: MariaDb) -> AsyncIterator[MariaDb]:
    """A server that a test may kill, pause and make read-only; it is restored for the next one."""
    yield _shaken_mariadb
    if _shaken_mariadb.status is None:
        _shaken_mariadb.resume()
    else:
        _shaken_mariadb.start()
    await _shaken_mariadb.answers()
    _shaken_mariadb.query("SET GLOBAL read_only = 0")


@pytest.fixture
def shaky_url(shaky_mariadb: MariaDb) -> str:
    """The URL of a database on the server that the test may shake."""
    return shaky_mariadb.url(shaky_mariadb.new_database())


@pytest_twisted.async_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def shaky_routes(shaky_url: str, open_database: Callable[[str], Database]) -> Routes:
    """The routes of the database at shaky_url; none yet."""
    routes = Routes(open_database(shaky_url))
    await routes.database.write("create the schema", init_txn)
    return routes


@pytest.fixture
def routes(database: Database) -> Routes:
    """The routes of the database at database_url; none yet. Once on each engine."""
    return Routes(database)


@pytest_twisted.async_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def sqlite_routes(sqlite_url: str, open_database: Callable[[str], Database]) -> Routes:
    """The routes of the database at sqlite_url; none yet."""
    routes = Routes(open_database(sqlite_url))
    await routes.database.write("create the schema", init_txn)
    return routes


@pytest_twisted.async_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def watched(database: Database, reactor: Any) -> Watched:
    """A watcher that has loaded one module with one host."""
    watched = Watched(database, reactor)
    await watched.store.edit("test", NOW, [RouteEdit(M, frozenset([A]))])
    assert await watched.poll() == [M]
    return watched


@pytest.fixture
def start_dns(start_service: StartService) -> Iterator[StartDns]:
    """Starts lars-dns processes, as `start_dns(database_url, "--save=…")`."""
    started: list[RunningDns] = []

    def start(database_url: str, *options: str, name: str = "lars-dns", fast: bool = True) -> RunningDns:
        started.append(RunningDns(start_service, database_url, *options, name=name, fast=fast))
        return started[-1]

    yield start
    for dns in started:
        dns.close()


@pytest.fixture
def agents(reactor: Any) -> Iterator[Agents]:
    """Agents that connect to a lars-dns and record the routes that they receive."""
    agents = Agents(reactor)
    yield agents
    agents.drop_all()
