"""The route store: one edit is one transaction with one version, on either engine."""

from collections.abc import Callable
from threading import Event

import pytest
from twisted.internet.defer import Deferred, gatherResults

from lars.db.database import Database
from lars.db.engine import DatabaseError, Row, Transaction
from lars.db.routes import EditDone, RouteChanged, RouteEdit, RouteStore, edit_txn, load_txn
from lars.errors import InvalidRoute
from lars.host_record import PLAIN
from lars.route import MAX_HOSTS, HostAddress, ModuleId, parse_host
from lars.runtime.reactor import IReactor
from tests.integration.waiting import until

OpenDatabase = Callable[[str], Database]

PAY, MAIL = ModuleId(1, 1), ModuleId(1, 2)
A, B, C = (parse_host(f"10.0.0.{n}:80") for n in (1, 2, 3))
NOW = 1_800_000_000.7


@pytest.fixture
def store(database: Database) -> RouteStore:
    return RouteStore(database)


def add(module: ModuleId, *hosts: HostAddress) -> RouteEdit:
    return RouteEdit(module, add=frozenset(hosts))


def remove(module: ModuleId, *hosts: HostAddress) -> RouteEdit:
    return RouteEdit(module, remove=frozenset(hosts))


def replace(module: ModuleId, *hosts: HostAddress) -> RouteEdit:
    return RouteEdit(module, add=frozenset(hosts), replace=True)


async def edit(store: RouteStore, *edits: RouteEdit, now: float = NOW) -> EditDone:
    return await store.edit("ann", now, edits)


async def rows(database: Database, sql: str) -> list[Row]:
    def select(txn: Transaction) -> list[Row]:
        return txn.all(sql)

    return await database.read("look", select)


async def test_a_new_database_has_version_0_and_no_routes(store: RouteStore) -> None:
    assert await store.load() == (0, [])


async def test_an_edit_is_seen_whole_with_its_version(store: RouteStore) -> None:
    done = await edit(store, add(PAY, B, A), add(MAIL, C))
    assert done == EditDone(int(NOW), (RouteChanged(PAY, (), (A, B)), RouteChanged(MAIL, (), (C,))))
    assert await store.version() == int(NOW)
    assert await store.load() == (int(NOW), [(*PAY, *A, PLAIN), (*PAY, *B, PLAIN), (*MAIL, *C, PLAIN)])


async def test_routes_are_listed_by_modid_and_by_module(store: RouteStore) -> None:
    other = ModuleId(2, 1)
    await edit(store, add(PAY, A), add(MAIL, B), add(other, C))
    assert await store.routes() == [(*PAY, *A, PLAIN), (*MAIL, *B, PLAIN), (*other, *C, PLAIN)]
    assert await store.routes(1) == [(*PAY, *A, PLAIN), (*MAIL, *B, PLAIN)]
    assert await store.routes(1, 2) == [(*MAIL, *B, PLAIN)]
    assert await store.routes(9) == []


async def test_version_is_the_time_or_the_next_number_whichever_is_larger(store: RouteStore) -> None:
    assert (await edit(store, add(PAY, A), now=NOW)).version == int(NOW)
    assert (await edit(store, add(PAY, B), now=NOW)).version == int(NOW) + 1
    assert (await edit(store, add(PAY, C), now=NOW - 1000)).version == int(NOW) + 2
    assert (await edit(store, remove(PAY, C), now=NOW + 50)).version == int(NOW) + 50


async def test_an_edit_that_finds_nothing_to_do_changes_nothing(database: Database, store: RouteStore) -> None:
    await edit(store, add(PAY, A))
    for same in (add(PAY, A), remove(PAY, B), replace(PAY, A), remove(MAIL, A), replace(MAIL)):
        assert await edit(store, same, now=NOW + 99) == EditDone(int(NOW), ())
    assert await store.version() == int(NOW)
    assert len(await rows(database, "SELECT * FROM RouteAudit")) == 1
    assert len(await rows(database, "SELECT * FROM RouteChange")) == 1


async def test_only_the_modules_that_changed_are_in_the_change_and_the_audit(
    database: Database, store: RouteStore
) -> None:
    await edit(store, add(PAY, A))
    done = await edit(store, add(PAY, A), add(MAIL, B), now=NOW + 5)
    assert done.changed == (RouteChanged(MAIL, (), (B,)),)
    changes = await rows(database, "SELECT modid, cmdid, version FROM RouteChange ORDER BY id")
    assert changes == [(*PAY, int(NOW)), (*MAIL, int(NOW) + 5)]


async def test_the_audit_says_when_who_and_what_changed(database: Database, store: RouteStore) -> None:
    await edit(store, add(PAY, A, B))
    await store.edit("bob" * 100, NOW + 1, [RouteEdit(PAY, add=frozenset([C]), remove=frozenset([A]))])
    audit = await rows(
        database, "SELECT ts, actor, modid, cmdid, version, hosts_before, hosts_after FROM RouteAudit ORDER BY id"
    )
    assert audit == [
        (int(NOW), "ann", 1, 1, int(NOW), "", "10.0.0.1:80\n10.0.0.2:80"),
        (int(NOW) + 1, ("bob" * 100)[:255], 1, 1, int(NOW) + 1, "10.0.0.1:80", "10.0.0.3:80"),
    ]


async def test_what_changed_is_listed_as_added_and_removed(store: RouteStore) -> None:
    await edit(store, add(PAY, A, B))
    [changed] = (await edit(store, replace(PAY, B, C))).changed
    assert (changed.added, changed.removed) == ([C], [A])


async def test_replace_leaves_exactly_the_hosts_given_and_other_modules_alone(store: RouteStore) -> None:
    await edit(store, add(PAY, A, B), add(MAIL, A))
    await edit(store, replace(PAY, C))
    assert await store.routes() == [(*PAY, *C, PLAIN), (*MAIL, *A, PLAIN)]
    await edit(store, replace(PAY))
    assert await store.routes() == [(*MAIL, *A, PLAIN)]


async def test_addresses_of_the_upper_half_are_kept(store: RouteStore) -> None:
    high = HostAddress(2**32 - 1, 65535)
    module = ModuleId(2**31 - 1, 2**31 - 1)
    await edit(store, add(module, high))
    assert await store.routes() == [(*module, *high, PLAIN)]


def many(count: int, module: ModuleId = PAY) -> RouteEdit:
    return add(module, *(HostAddress(n, 80) for n in range(1, count + 1)))


async def test_a_full_module_is_taken(store: RouteStore) -> None:
    await edit(store, many(MAX_HOSTS))
    assert len(await store.routes()) == MAX_HOSTS


async def test_one_host_too_many_is_refused_and_nothing_is_half_done(database: Database, store: RouteStore) -> None:
    await edit(store, add(MAIL, B))
    with pytest.raises(InvalidRoute, match=r"module \(1, 1\) would have 4001 hosts; 4000 at most"):
        await edit(store, add(MAIL, A), many(MAX_HOSTS + 1), now=NOW + 9)
    assert await store.load() == (int(NOW), [(*MAIL, *B, PLAIN)])
    assert len(await rows(database, "SELECT * FROM RouteAudit")) == 1


async def test_a_module_that_is_too_full_already_can_be_cut_down(database: Database, store: RouteStore) -> None:
    def overfill(txn: Transaction) -> None:
        sql = "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (?, ?, ?, ?)"
        txn.execute_many(sql, [(1, 1, n, 80) for n in range(1, MAX_HOSTS + 6)])

    await database.write("overfill", overfill)
    await edit(store, remove(PAY, HostAddress(1, 80)))
    assert len(await store.routes()) == MAX_HOSTS + 4


async def test_edits_from_two_places_serialise_and_none_is_lost(
    store: RouteStore, open_database: OpenDatabase, database_url: str
) -> None:
    stores = [store, RouteStore(open_database(database_url))]
    edits = [edit(stores[n % 2], add(PAY, HostAddress(n + 1, 80)), add(ModuleId(2, n), A)) for n in range(20)]
    done = await gatherResults([Deferred.fromCoroutine(one) for one in edits])
    assert sorted(one.version for one in done) == list(range(int(NOW), int(NOW) + 20))
    assert len(await store.routes(1, 1)) == 20
    for one in done:  # each saw all that came before it
        assert len(one.changed[0].after) == one.version - int(NOW) + 1


async def test_a_load_sees_one_moment_whatever_is_edited_meanwhile(
    reactor: IReactor, database: Database, store: RouteStore, open_database: OpenDatabase, database_url: str
) -> None:
    writer = RouteStore(open_database(database_url))
    await edit(writer, add(PAY, A))

    looked, edited = Event(), Event()

    def load_twice(txn: Transaction) -> tuple[object, object]:
        first = load_txn(txn)
        looked.set()
        assert edited.wait(10)
        return first, load_txn(txn)

    loading = Deferred.fromCoroutine(database.read("load", load_twice))
    await until(reactor, looked.is_set, "the first look")
    await edit(writer, add(PAY, B), add(MAIL, C), now=NOW + 9)
    edited.set()
    first, second = await loading
    assert first == second == (int(NOW), [(*PAY, *A, PLAIN)])
    assert await store.version() == int(NOW) + 9


async def test_a_failure_in_the_middle_of_an_edit_undoes_all_of_it(database: Database, store: RouteStore) -> None:
    def edit_and_fail(txn: Transaction) -> None:
        edit_txn(txn, "ann", NOW, [add(PAY, A)])
        txn.execute("INSERT INTO NoSuchTable VALUES (1)")

    with pytest.raises(DatabaseError, match="NoSuchTable"):
        await database.write("edit and fail", edit_and_fail)
    assert await store.load() == (0, [])
    assert await rows(database, "SELECT * FROM RouteAudit") == []


async def test_two_hundred_modules_in_one_edit_have_one_version(store: RouteStore) -> None:
    edits = [add(ModuleId(n, 1), A, B) for n in range(1, 451)]
    done = await edit(store, *edits)
    assert (len(done.changed), done.version) == (450, int(NOW))
    assert len(await store.routes()) == 900
