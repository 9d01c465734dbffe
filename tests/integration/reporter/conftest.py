"""The fixtures of the tests of lars-reporter under faults."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_twisted

from lars.db.database import Database
from lars.db.schema import init_txn
from tests.integration.conftest import StartService
from tests.integration.dns.conftest import _shaken_mariadb, shaky_mariadb, shaky_url  # noqa: F401  # fixtures
from tests.integration.reporter.agents import Agents
from tests.integration.reporter.running import RunningReporter

StartReporter = Callable[..., RunningReporter]


@pytest.fixture
def start_reporter(start_service: StartService) -> Iterator[StartReporter]:
    """Starts lars-reporter processes, as `start_reporter(database_url, "--batch-rows=1")`."""
    started: list[RunningReporter] = []

    def start(database_url: str, *options: str, name: str = "lars-reporter") -> RunningReporter:
        started.append(RunningReporter(start_service, database_url, *options, name=name))
        return started[-1]

    yield start
    for reporter in started:
        reporter.close()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def agents(reactor: Any) -> AsyncIterator[Agents]:
    """Agents of the test, disconnected after it."""
    agents = Agents(reactor)
    yield agents
    await agents.close()


@pytest_twisted.async_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def shaky_database(shaky_url: str, open_database: Callable[[str], Database]) -> Database:  # noqa: F811
    """A database with the schema on the server that the test may kill or pause."""
    database = open_database(shaky_url)
    await database.write("create the schema", init_txn)
    return database


@pytest_twisted.async_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def sqlite_database(sqlite_url: str, open_database: Callable[[str], Database]) -> Database:
    """A database with the schema in an SQLite file."""
    database = open_database(sqlite_url)
    await database.write("create the schema", init_txn)
    return database
