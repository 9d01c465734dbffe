"""Kills at random moments, again and again, while agents report what they know the sum of."""

import random
from collections.abc import Callable
from typing import Any

from twisted.internet.task import deferLater

from lars.db.database import Database
from tests.integration.mariadb import MariaDb
from tests.integration.reporter.agents import Agents
from tests.integration.reporter.running import RunningReporter
from tests.integration.reporter.sums import sums


async def kill_storm(
    reactor: Any,
    reporters: list[RunningReporter],
    agents: Agents,
    open_database: Callable[[], Database],
    kills: int,
    mariadb: MariaDb | None = None,
) -> None:
    """Checks that in the end the history sums to exactly what the agents counted.

    Agents switch between the reporters as these die. Each kill hits a reporter or, if given, the database server.
    """
    for reporter in reporters:
        await reporter.up()
    ports = [reporter.port for reporter in reporters]
    for agent in agents.start(*ports, count=3) + agents.start(*reversed(ports), count=3):
        agent.keep_reporting()
    starts = dict.fromkeys(range(len(reporters)), 1)
    for _ in range(kills):
        await deferLater(reactor, random.uniform(0.05, 0.8))
        if mariadb is not None and random.random() < 0.3:
            mariadb.kill()
            await deferLater(reactor, random.uniform(0.0, 0.3))
            mariadb.start()
            await mariadb.answers()
        else:
            number = random.randrange(len(reporters))
            reporters[number].service.kill()
            await deferLater(reactor, random.uniform(0.0, 0.3))
            reporters[number].service.start()
            starts[number] += 1
            await reporters[number].up(starts[number], 20)
    for agent in agents.all:
        await agent.is_acknowledged(60)
    assert sum(succ for succ, _ in agents.counted.values()) > 10_000
    assert await sums(open_database()) == agents.counted
