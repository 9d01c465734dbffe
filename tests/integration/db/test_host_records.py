"""Host records and settings of modules in the edit transaction, on either engine."""

from collections.abc import Callable

import pytest
from twisted.internet.defer import Deferred, gatherResults

from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.route_reads import differing, digests_txn
from lars.db.routes import RouteEdit, RouteStore
from lars.host_record import PLAIN, Drain, HostChange, HostRecord
from lars.module_settings import MAX_JSON
from lars.route import HostAddress, ModuleId, parse_host

OpenDatabase = Callable[[str], Database]

PAY = ModuleId(1, 1)
A, B = (parse_host(f"10.0.0.{n}:80") for n in (1, 2))
NOW = 1_800_000_000.0


@pytest.fixture
def store(database: Database) -> RouteStore:
    return RouteStore(database)


async def change(store: RouteStore, host: HostAddress, change: HostChange, now: float = NOW) -> None:
    await store.edit("ann", now, [RouteEdit(PAY, frozenset([A, B]), change={host: change})])


async def records(store: RouteStore) -> dict[HostAddress, HostRecord]:
    return {HostAddress(ip, port): record for _modid, _cmdid, ip, port, record in await store.routes()}


async def run(database: Database, sql: str, *parameters: object) -> None:
    await database.write("a statement by hand", Transaction.execute, sql, parameters)


async def test_a_record_is_read_as_it_was_written(store: RouteStore) -> None:
    full = HostRecord(0, "eu-1.b", ("rack-7", "ssd"), '支 "new" disk', 1000, 2_000_000_000, "kernel update, 内核")
    await change(store, A, HostChange(1000, full.zone, full.tags, full.note))
    await change(store, A, HostChange(drain=Drain(full.drained_until, full.drain_reason)))
    assert await records(store) == {A: full, B: PLAIN}


async def test_a_weight_that_only_sql_changed_changes_the_digest_whatever_it_is(
    database: Database, store: RouteStore
) -> None:
    await change(store, A, HostChange(weight=50))
    before = await database.read("digests", digests_txn)
    for weight in (51, 0, -1, 2**31 - 1, -(2**31)):
        await run(database, "UPDATE RouteData SET weight = ? WHERE serverip = ?", weight, A.ip)
        after = await database.read("digests", digests_txn)
        assert len(differing(before, after)) == 1, weight
        before = after


async def test_a_drain_that_two_end_at_once_is_ended_once(
    store: RouteStore, open_database: OpenDatabase, database_url: str
) -> None:
    await change(store, A, HostChange(weight=50))
    await change(store, A, HostChange(drain=Drain(int(NOW) + 60)))
    stores = [store, RouteStore(open_database(database_url))]
    ends = [Deferred.fromCoroutine(one.end_drains("lars-web", NOW + 60)) for one in stores * 3]
    done = await gatherResults(ends)
    assert sorted(len(one.changed) for one in done) == [0, 0, 0, 0, 0, 1]
    assert await records(store) == {A: HostRecord(50), B: PLAIN}


async def test_the_longest_settings_fit(database: Database, store: RouteStore) -> None:
    path = "/" + "x" * 500
    longest = {"health_check.type": "http", "health_check.path": path, "policy": "classic"}
    await store.edit("ann", NOW, [RouteEdit(PAY, frozenset([A]), settings=lambda _now: longest)])
    settings = await database.read("look", lambda txn: txn.one("SELECT settings FROM ModuleSettings"))
    assert settings is not None
    assert path in settings[0]
    assert len(settings[0]) < MAX_JSON
