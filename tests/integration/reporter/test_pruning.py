"""Old rows are deleted, others are kept, and no writer waits long; on either engine."""

import time
from collections.abc import Callable
from typing import Any

from lars.db.alarms import Alarm, AlarmStore
from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.measurements import Subject
from tests.integration.reporter.agents import Agents
from tests.integration.reporter.conftest import StartReporter
from tests.integration.reporter.sums import sums
from tests.integration.reporter.test_bad_agents import A, M, rows
from tests.integration.waiting import until

OLD = 1_000_000_020
TABLES = ("ServerCallStatus", "ServerCallHistory", "ReportCursor", "CallerSeen")


def fill(count: int) -> Callable[[Transaction], None]:
    """Old rows, so many in each table."""

    def fill_txn(txn: Transaction) -> None:
        for table, columns, row in (
            ("ServerCallStatus", 9, lambda n: (1, 1, n, 80, 5, 1, 1, OLD, 0)),
            ("ServerCallHistory", 8, lambda n: (OLD, 1, 1, n, 80, 1, 1, 0)),
            ("ReportCursor", 4, lambda n: (n, 7, 1, OLD)),
            ("CallerSeen", 3, lambda n: (n, OLD, 0)),
        ):
            marks = ", ".join("?" * columns)
            txn.execute_numbers(f"INSERT INTO {table} VALUES ({marks})", [row(n) for n in range(1, count + 1)])

    return fill_txn


async def test_old_rows_are_deleted_and_writers_do_not_wait(
    reactor: Any, start_reporter: StartReporter, database: Database, database_url: str, agents: Agents
) -> None:
    await database.write("fill", fill(6_000))
    active, cleared = [
        (await AlarmStore(database).raised(Alarm(0, "x", "err_rate", Subject(n), "", OLD, 0, "", 0, 0)))[0].id
        for n in (1, 2)
    ]
    await AlarmStore(database).cleared(cleared, OLD + 9)
    reporter = start_reporter(database_url)
    await reporter.up()
    [agent] = agents.start(reporter.port)
    began = time.monotonic()
    agent.report(M, A, 10, 1)
    await agent.is_acknowledged(5)
    assert time.monotonic() - began < 3

    async def are_gone() -> bool:
        return [await rows(database, f"SELECT COUNT(*) FROM {table}") for table in TABLES] == [[(1,)]] * 4

    await until(reactor, are_gone, "all but what was reported now to be deleted", 30)
    await until(reactor, lambda: reporter.number("pruned_rows_total", table="Alarm") == 1, "an alarm to be deleted")
    assert [alarm.id for alarm in await AlarmStore(database).alarms(0)] == [active]
    assert await sums(database) == {(*M, *A): (10, 1)}
    for table in TABLES:
        assert reporter.number("pruned_rows_total", table=table) == 6_000
