"""Every transaction of Lars, at once on all three nodes: those that conflict run again, and each takes effect once."""

import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, gatherResults

from bench.processes.twistd import checkout_environ
from lars.db.accounts import AccountRefused, AccountStore, NewToken, Session
from lars.db.alarms import Alarm, AlarmStore
from lars.db.database import Database
from lars.db.leases import Batch, LeaseStore, Registration, Silence
from lars.db.measurements import Subject
from lars.db.modules import ModuleStore
from lars.db.report_writes import ReportWrites
from lars.db.routes import RouteEdit, RouteStore
from lars.db.schema import check_txn, init_txn
from lars.route import HostAddress, ModuleId
from tests.cluster.galera import Cluster
from tests.integration.db.test_cpp_schema import UNSIGNED, load_cpp
from tests.integration.db.test_report_writes import commit_at_last, group
from tests.integration.waiting import until

M = ModuleId(1, 1)
ROUNDS = 20


def host(number: int) -> HostAddress:
    return HostAddress(0x0A000000 + number, 80)


async def at_once(work: Sequence[Awaitable[Any]]) -> list[Any]:
    """The results of work that runs together; an AccountRefused is a result."""

    async def guarded(one: Awaitable[Any]) -> Any:
        try:
            return await one
        except AccountRefused as refused:
            return refused

    results: list[Any] = await gatherResults([Deferred.fromCoroutine(guarded(one)) for one in work], consumeErrors=True)
    return results


async def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    return await database.read("look", lambda txn: txn.all(query))


async def test_edits_are_all_there_each_once_in_the_audit(databases: list[Database]) -> None:
    async def edits(node: int) -> None:
        for n in range(ROUNDS):
            edit = RouteEdit(M, frozenset({host(100 * node + n)}))
            await RouteStore(databases[node]).edit(f"node {node}", time.time(), [edit])

    await at_once([edits(node) for node in range(3)])
    for database in databases:
        there = await rows(database, "SELECT serverip FROM RouteData ORDER BY serverip")
        assert [ip for (ip,) in there] == [host(100 * node + n).ip for node in range(3) for n in range(ROUNDS)]
        audit = await rows(database, "SELECT hosts_after, COUNT(*) FROM RouteAudit GROUP BY hosts_after")
        assert sorted(count for _host, count in audit) == [1] * 3 * ROUNDS
        versions = [row[0] for row in await rows(database, "SELECT version FROM RouteChange ORDER BY id")]
        assert versions == sorted(set(versions)), "ids grow with versions, so that no look at changes misses one"


async def test_leases_are_stored_renewed_and_expire_once(databases: list[Database]) -> None:
    stores = [LeaseStore(database) for database in databases]

    def batch(node: int, ttl: int) -> Batch:
        return Batch({(M, host(100 * node + n)): Registration(ttl, f"node {node}") for n in range(ROUNDS)}, {})

    await at_once([stores[node].store(batch(node, 60)) for node in range(3)])
    await at_once([stores[node].store(batch((node + shift) % 3, 60)) for node in range(3) for shift in range(3)])
    leases = "SELECT COUNT(*) FROM RouteLease"
    assert await rows(databases[0], leases) == [(3 * ROUNDS,)]
    await databases[0].write("end all leases", lambda txn: txn.execute("UPDATE RouteLease SET expires_at = 0"))

    def all_leave(silence: Silence) -> frozenset[HostAddress]:
        return frozenset(silence.silent)

    expired = await at_once([store.expire(time.time(), 0, 1000, 3600, all_leave) for store in stores])
    assert sum(each.left.get(M, 0) for each in expired) == 3 * ROUNDS
    for database in databases:
        assert await rows(database, leases) == [(0,)]
        assert await rows(database, "SELECT COUNT(*) FROM RouteData") == [(0,)]


async def test_reports_that_several_reporters_write_count_once(databases: list[Database]) -> None:
    writes = [ReportWrites(database) for database in databases]

    async def report(node: int) -> None:
        for seq in range(1, ROUNDS + 1):  # one run that reaches all reporters, and one that is this node's
            await commit_at_last(writes[node], group(seq), group(seq, boot=node + 1))

    await at_once([report(node) for node in range(3)])
    for database in databases:
        assert await rows(database, "SELECT SUM(succ_cnt), SUM(err_cnt) FROM ServerCallHistory") == [
            (10 * ROUNDS * 4, ROUNDS * 4)
        ]


async def test_alarm_is_raised_and_cleared_by_one(databases: list[Database]) -> None:
    stores = [AlarmStore(database) for database in databases]
    claims = await at_once([store.claim(["r"], f"reporter {n}", 30) for n, store in enumerate(stores)])
    assert sorted(len(claim.owned) for claim in claims) == [0, 0, 1]
    alarm = Alarm(0, "r", "err_rate", Subject(*M, 1, 2, 3), "text", 1, 0, "", 0, 0)
    raised = await at_once([store.raised(alarm) for store in stores])
    assert sorted(is_new for _alarm, is_new in raised) == [False, False, True]
    assert len({stored.id for stored, _is_new in raised}) == 1
    cleared = await at_once([store.cleared(raised[0][0].id, 5) for store in stores])
    assert sorted(was_active for _alarm, was_active in cleared) == [False, False, True]


async def test_accounts_keep_their_rules(databases: list[Database]) -> None:
    stores = [AccountStore(database) for database in databases]
    first = await at_once([store.add_first_admin(f"admin{n}", "hash", 1) for n, store in enumerate(stores)])
    assert sorted(result is None for result in first) == [False, False, True]
    [(admin,)] = await rows(databases[0], "SELECT name FROM User")
    same = await at_once([store.add(admin, "ann", "hash", "admin", 1) for store in stores])
    assert sorted(result is None for result in same) == [False, False, True]
    demoted = await at_once([stores[0].set_role("x", admin, "viewer", 1), stores[1].set_role("x", "ann", "viewer", 1)])
    assert sorted(result is None for result in demoted) == [False, True]
    assert await rows(databases[2], "SELECT COUNT(*) FROM User WHERE role = 'admin'") == [(1,)]
    await at_once([stores[n % 3].begin_session(Session(f"{n:064}", "ann", 1, 10**10), 1) for n in range(30)])
    assert await rows(databases[0], "SELECT COUNT(*) FROM Session") == [(30,)]
    await at_once([stores[n % 3].add_token("x", NewToken(f"{n:064}", f"t{n}", "ann", "viewer"), 1) for n in range(30)])
    assert await rows(databases[0], "SELECT COUNT(*), COUNT(DISTINCT name) FROM ApiToken") == [(30, 30)]
    named = [
        ModuleStore(database).rename("x", 1, "modid", 7, f"name {n}", None) for n, database in enumerate(databases)
    ]
    await at_once(named)
    assert await rows(databases[0], "SELECT COUNT(*) FROM ModIDConfig") == [(1,)]


async def test_schema_is_made_on_all_nodes_at_once(cluster: Cluster, open_database: Callable[[str], Database]) -> None:
    name = cluster.new_database()
    databases = [open_database(cluster.url(name, first)) for first in range(3)]
    await at_once([database.write_repeatable("create the schema", init_txn) for database in databases])
    for database in databases:
        checked = await database.read("check", check_txn)
        assert checked.problems == []


async def test_schema_of_the_cpp_system_is_brought_up_on_all_nodes_at_once(
    cluster: Cluster, open_database: Callable[[str], Database]
) -> None:
    name = cluster.new_database()
    load_cpp(cluster.nodes[0], name, UNSIGNED)
    databases = [open_database(cluster.url(name, first)) for first in range(3)]
    await at_once([database.write_repeatable("create the schema", init_txn) for database in databases])
    for database in databases:
        assert (await database.read("check", check_txn)).problems == []


async def test_hundred_and_fifty_commands_lose_and_refuse_nothing(
    reactor: Any, cluster: Cluster, name: str, databases: list[Database], tmp_path: Path
) -> None:
    """Fifty at a time: more would only wait for a processor, of which each needs half a second."""
    commands: list[subprocess.Popen[bytes]] = []

    def started_and_ended() -> bool:
        running = sum(command.poll() is None for command in commands)
        for n in range(len(commands) + 1, min(150, len(commands) + 50 - running) + 1):
            commands.append(start_route_add(cluster.url(name, n % 3), host(n), tmp_path))
        return len(commands) == 150 and all(command.poll() is not None for command in commands)

    await until(reactor, started_and_ended, lambda: f"150 to end, not {len(commands)}", 110)
    said = [command.communicate()[1].decode() for command in commands]
    assert [text for command, text in zip(commands, said, strict=True) if command.returncode] == []
    for database in databases:
        assert await rows(database, "SELECT COUNT(*) FROM RouteData") == [(150,)]
        assert await rows(database, "SELECT COUNT(*), COUNT(DISTINCT version) FROM RouteAudit") == [(150, 150)]


def start_route_add(url: str, added: HostAddress, folder: Path) -> "subprocess.Popen[bytes]":
    """`lars route add` of one host to module 1 1."""
    return subprocess.Popen(
        [sys.executable, "-m", "lars.cli", "route", "add", "1", "1", str(added), f"--db={url}"],
        cwd=folder,
        env={**os.environ, **checkout_environ()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
