"""Every call is counted once: reporters and database are killed with -9 at random moments, a hundred times."""

from collections.abc import Callable
from typing import Any

from lars.db.database import Database
from tests.integration.mariadb import MariaDb
from tests.integration.reporter.agents import Agents
from tests.integration.reporter.conftest import StartReporter
from tests.integration.reporter.storm import kill_storm

KILLS = 100


async def test_a_hundred_kills_of_reporters(
    reactor: Any, start_reporter: StartReporter, database: Database, database_url: str, agents: Agents
) -> None:
    reporters = [start_reporter(database_url, name=name) for name in ("one", "two")]
    await kill_storm(reactor, reporters, agents, lambda: database, KILLS)


async def test_a_hundred_kills_of_reporters_and_mariadb(
    reactor: Any,
    start_reporter: StartReporter,
    shaky_mariadb: MariaDb,
    shaky_url: str,
    shaky_database: Database,
    open_database: Callable[[str], Database],
    agents: Agents,
) -> None:
    reporters = [start_reporter(shaky_url, name=name) for name in ("one", "two")]
    await kill_storm(reactor, reporters, agents, lambda: open_database(shaky_url), KILLS, shaky_mariadb)
