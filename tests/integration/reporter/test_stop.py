"""SIGTERM stops lars-reporter in order and within a limit, whatever its agents and its database do."""

import socket
from contextlib import ExitStack
from typing import Any

import pytest

from lars.db.database import Database
from lars.route import HostAddress, ModuleId
from tests.integration.mariadb import MariaDb
from tests.integration.reporter.agents import Agents
from tests.integration.reporter.conftest import StartReporter
from tests.integration.reporter.running import RunningReporter
from tests.integration.reporter.sums import sums
from tests.integration.waiting import until

M = ModuleId(1, 1)
A = HostAddress(0x0A000001, 80)
IN_TIME = 6.0


async def stopped_in_order(reporter: RunningReporter, reactor: Any) -> float:
    """Stops it; returns how many seconds that took."""
    began = reactor.seconds()
    await reporter.service.stopped(IN_TIME)
    assert reporter.service.bugs() == ""
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", reporter.port)) != 0
    return float(reactor.seconds() - began)


async def test_pending_reports_are_written_and_acknowledged_first(
    reactor: Any, start_reporter: StartReporter, database: Database, database_url: str, agents: Agents
) -> None:
    reporter = start_reporter(database_url, "--flush-interval=600")
    await reporter.up()
    [agent] = agents.start(reporter.port)
    agent.report(M, A, 10, 1)
    await until(reactor, lambda: reporter.number("pending_rows") > 0, "a report to wait")
    assert agent.outbox.waiting
    assert await stopped_in_order(reporter, reactor) < 3
    await agent.is_acknowledged(1)
    assert await sums(database) == agents.counted


@pytest.mark.parametrize("how", ["hangs", "away"])
async def test_database_that_does_not_answer_delays_the_end_by_a_limit_and_nothing_is_acknowledged(
    reactor: Any,
    start_reporter: StartReporter,
    shaky_mariadb: MariaDb,
    shaky_url: str,
    shaky_database: Database,
    agents: Agents,
    how: str,
) -> None:
    reporter = start_reporter(shaky_url)
    await reporter.up()
    [agent] = agents.start(reporter.port)
    agent.report(M, A, 10, 1)
    await agent.is_acknowledged()
    if how == "hangs":
        shaky_mariadb.pause()
    else:
        shaky_mariadb.kill()
    agent.report(M, A, 7, 1)
    await until(reactor, lambda: reporter.number("pending_rows") > 0, "a report to wait")
    assert 1.5 < await stopped_in_order(reporter, reactor) < IN_TIME
    assert agent.outbox.waiting == 1
    if how == "hangs":
        shaky_mariadb.resume()
    else:
        shaky_mariadb.start()
        await shaky_mariadb.answers()
    reporter.service.start()
    await agent.is_acknowledged()
    assert await sums(shaky_database) == {(*M, *A): (17, 2)}


async def test_agents_that_do_not_read_delay_the_end_by_a_second_at_most(
    reactor: Any, start_reporter: StartReporter, sqlite_url: str, sqlite_database: Database
) -> None:
    reporter = start_reporter(sqlite_url)
    await reporter.up()
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(socket.create_connection(("127.0.0.1", reporter.port), 5))
        await until(reactor, lambda: reporter.number("connections") == 5, "five connections")
        assert await stopped_in_order(reporter, reactor) < 3
