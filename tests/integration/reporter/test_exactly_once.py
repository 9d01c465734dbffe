"""Every call is counted once: reporters and database are killed with -9 at random moments (the short form)."""

from collections.abc import Callable
from typing import Any

from lars.db.database import Database
from tests.integration.mariadb import MariaDb
from tests.integration.reporter.agents import Agents
from tests.integration.reporter.conftest import StartReporter
from tests.integration.reporter.storm import kill_storm
from tests.integration.reporter.sums import sums


async def test_nothing_is_lost_or_counted_twice_when_reporters_are_killed(
    reactor: Any, start_reporter: StartReporter, database: Database, database_url: str, agents: Agents
) -> None:
    reporters = [start_reporter(database_url, name=name) for name in ("one", "two")]
    await kill_storm(reactor, reporters, agents, lambda: database, kills=5)


async def test_nothing_is_lost_or_counted_twice_when_the_database_is_killed_too(
    reactor: Any,
    start_reporter: StartReporter,
    shaky_mariadb: MariaDb,
    shaky_url: str,
    shaky_database: Database,
    open_database: Callable[[str], Database],
    agents: Agents,
) -> None:
    reporters = [start_reporter(shaky_url, name=name) for name in ("one", "two")]
    await kill_storm(reactor, reporters, agents, lambda: open_database(shaky_url), 5, shaky_mariadb)


async def test_what_was_not_committed_at_sigterm_was_not_acknowledged_and_is_counted_by_the_next(
    reactor: Any, start_reporter: StartReporter, database: Database, database_url: str, agents: Agents
) -> None:
    reporter = start_reporter(database_url)
    await reporter.up()
    for agent in agents.start(reporter.port, count=4):
        agent.keep_reporting()
    for start in (1, 2, 3):
        await reporter.up(start)
        await reporter.service.stopped(6)
        reporter.service.start()
    for agent in agents.all:
        await agent.is_acknowledged()
    assert await sums(database) == agents.counted
