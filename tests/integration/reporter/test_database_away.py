"""The database is killed, hangs, is slow, full or refuses writes: lars-reporter keeps reports, logs the fault once, and
writes them when it can; nothing is acknowledged before."""

import resource
from itertools import pairwise
from typing import Any

from lars.db.database import Database
from lars.route import HostAddress, ModuleId
from tests.integration.dns.slow_proxy import SlowProxy
from tests.integration.dns.test_database_away import as_plain_user
from tests.integration.mariadb import MariaDb
from tests.integration.reporter.agents import Agents
from tests.integration.reporter.conftest import StartReporter
from tests.integration.reporter.running import RunningReporter
from tests.integration.reporter.sums import sums
from tests.integration.waiting import until

M = ModuleId(1, 1)
A = HostAddress(0x0A000001, 80)


async def fails(reporter: RunningReporter, reactor: Any, times: int = 3, deadline: float = 20) -> None:
    """Waits until so many transactions have failed."""
    await until(
        reactor,
        lambda: reporter.number("database_failures_total", work="store") >= times,
        "transactions to fail",
        deadline,
    )


async def test_killed_database_is_logged_once_and_reports_wait_for_it(
    reactor: Any,
    start_reporter: StartReporter,
    shaky_mariadb: MariaDb,
    shaky_url: str,
    shaky_database: Database,
    agents: Agents,
) -> None:
    reporter = start_reporter(shaky_url)
    await reporter.up()
    [agent] = agents.start(reporter.port)
    agent.report(M, A, 10, 1)
    await agent.is_acknowledged()
    assert reporter.page("/readyz") == (200, "ready\n")
    shaky_mariadb.kill()
    agent.keep_reporting()
    await fails(reporter, reactor, 4)
    status, why = reporter.page("/readyz")
    assert (status, "reports cannot be written: mysql://lars@127.0.0.1" in why) == (503, True), why
    assert agent.outbox.waiting
    shaky_mariadb.start()
    await shaky_mariadb.answers()
    await agent.is_acknowledged()
    assert await sums(shaky_database) == agents.counted
    faults = reporter.faults
    reasons = [fault.partition(";")[0] for fault in faults]
    assert all(before != after for before, after in pairwise(reasons)), "logged on change"
    assert 1 <= len(set(reasons)) <= 3, "lost connections, and refused ones"
    assert all("store reports: " in line and "not acknowledged and in memory: " in line for line in faults)
    assert reporter.recoveries >= 1
    assert reporter.page("/readyz") == (200, "ready\n")


async def test_database_that_hangs_delays_acknowledgements_and_nothing_else(
    reactor: Any,
    start_reporter: StartReporter,
    shaky_mariadb: MariaDb,
    shaky_url: str,
    shaky_database: Database,
    agents: Agents,
) -> None:
    reporter = start_reporter(shaky_url)
    await reporter.up()
    [agent] = agents.start(reporter.port)
    agent.report(M, A, 10, 1)
    await agent.is_acknowledged()
    shaky_mariadb.pause()
    agent.keep_reporting()
    reports = reporter.number("reports_total")
    await until(reactor, lambda: reporter.number("reports_total") >= reports + 60, "reports to be taken in")
    assert agent.outbox.waiting
    shaky_mariadb.resume()
    await agent.is_acknowledged()
    assert await sums(shaky_database) == agents.counted
    assert reporter.faults == [], "it was away for less than a timeout"


async def test_slow_database_is_no_fault(
    reactor: Any,
    start_reporter: StartReporter,
    shaky_mariadb: MariaDb,
    shaky_url: str,
    shaky_database: Database,
    agents: Agents,
) -> None:
    proxy = SlowProxy(reactor, shaky_mariadb.port)
    proxy.delay = 0.1
    port = await proxy.listen()
    reporter = start_reporter(shaky_url.replace(str(shaky_mariadb.port), str(port)))
    await reporter.up()
    for agent in agents.start(reporter.port, count=3):
        agent.keep_reporting()
    await until(reactor, lambda: reporter.number("transactions_total") >= 6, "six transactions", 20)
    for agent in agents.all:
        await agent.is_acknowledged(20)
    assert await sums(shaky_database) == agents.counted
    assert reporter.faults == []
    await proxy.close()


async def test_connections_cut_at_any_moment_of_a_transaction_lose_and_double_no_call(
    reactor: Any,
    start_reporter: StartReporter,
    shaky_mariadb: MariaDb,
    shaky_url: str,
    shaky_database: Database,
    agents: Agents,
) -> None:
    proxy = SlowProxy(reactor, shaky_mariadb.port)
    port = await proxy.listen()
    reporter = start_reporter(shaky_url.replace(str(shaky_mariadb.port), str(port)))
    await reporter.up()
    for agent in agents.start(reporter.port, count=3):
        agent.keep_reporting()
    for cut_after in (60, 120, 180, 200, 220, 240, 260, 300, 400):  # bytes of the server's answers
        proxy.cut_after = cut_after
        known = reporter.number("database_failures_total", work="store")
        await fails(reporter, reactor, int(known) + 1)
    proxy.cut_after = 2**60
    for agent in agents.all:
        await agent.is_acknowledged(20)
    assert await sums(shaky_database) == agents.counted
    await proxy.close()


async def test_read_only_database_is_logged_and_reports_wait_for_it(
    reactor: Any,
    start_reporter: StartReporter,
    shaky_mariadb: MariaDb,
    shaky_url: str,
    shaky_database: Database,
    agents: Agents,
) -> None:
    reporter = start_reporter(as_plain_user(shaky_mariadb, shaky_url))
    await reporter.up()
    shaky_mariadb.query("SET GLOBAL read_only = 1")
    [agent] = agents.start(reporter.port)
    agent.report(M, A, 10, 1)
    await fails(reporter, reactor)
    [fault] = reporter.faults
    assert "read-only" in fault
    shaky_mariadb.query("SET GLOBAL read_only = 0")
    await agent.is_acknowledged()
    assert await sums(shaky_database) == agents.counted


async def test_full_disk_is_logged_and_reports_wait_for_it(
    reactor: Any, start_reporter: StartReporter, sqlite_url: str, sqlite_database: Database, agents: Agents
) -> None:
    reporter = start_reporter(sqlite_url)
    await reporter.up()
    [agent] = agents.start(reporter.port)
    agent.report(M, A, 10, 1)
    await agent.is_acknowledged()
    limits = resource.prlimit(reporter.service.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(reporter.service.pid, resource.RLIMIT_FSIZE, (16_384, limits[1]))  # its log is shorter
    agent.keep_reporting()
    await fails(reporter, reactor)
    assert agent.outbox.waiting
    assert reporter.page("/readyz")[0] == 503
    resource.prlimit(reporter.service.pid, resource.RLIMIT_FSIZE, limits)
    await agent.is_acknowledged()
    assert await sums(sqlite_database) == agents.counted
    assert 1 <= len(reporter.faults) <= 2
    assert reporter.recoveries == 1


async def test_row_that_the_database_refuses_is_dropped_alone_and_logged(
    reactor: Any, start_reporter: StartReporter, database: Database, database_url: str, agents: Agents
) -> None:
    def refuse_one(txn: Any) -> None:
        if txn.engine.name == "mysql":
            txn.execute("ALTER TABLE ServerCallHistory ADD CONSTRAINT odd CHECK (ip <> 3)")
        else:
            txn.execute(
                "CREATE TRIGGER odd BEFORE INSERT ON ServerCallHistory WHEN NEW.ip = 3 "
                "BEGIN SELECT RAISE(ABORT, 'odd'); END"
            )

    await database.write("refuse a host", refuse_one)
    reporter = start_reporter(database_url)
    await reporter.up()
    [agent] = agents.start(reporter.port)
    for ip in range(1, 6):
        agent.report(M, HostAddress(ip, 80), ip, 0)
    await agent.is_acknowledged()
    assert await sums(database) == {(1, 1, ip, 80): (ip, 0) for ip in (1, 2, 4, 5)}
    assert reporter.number("refused_rows_total") == 1
    assert "module (1, 1), host 0.0.0.3:80" in reporter.service.log()
    assert reporter.faults == []
