"""What lars-web reads and writes, on both engines."""

import pytest
from twisted.internet.defer import Deferred, gatherResults

from lars.db.accounts import AccountRefused, AccountStore, NewToken, Session
from lars.db.audit import AuditStore
from lars.db.calls import CallStore
from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.fleet import FleetStore
from lars.db.host_states import HostStateStore
from lars.db.leases import Batch, LeaseStore, Registration
from lars.db.machines import MachineStore
from lars.db.modules import EditConflict, ModuleSearch, ModuleStore
from lars.db.routes import RouteEdit, RouteStore
from lars.host_record import Drain, HostChange
from lars.route import HostAddress, ModuleId, parse_host
from lars.web.registry.leases import leaving

NOW = 1_800_000_000.0
M, OTHER = ModuleId(1, 1), ModuleId(1, 2)
A, B, C, D = (parse_host(f"10.0.0.{n}:80") for n in (1, 2, 3, 4))


def hosts(*some: HostAddress) -> frozenset[HostAddress]:
    return frozenset(some)


async def test_modules_are_found_by_every_form_of_search_and_sorted(database: Database) -> None:
    modules = ModuleStore(database)
    edits = [RouteEdit(M, hosts(A, B)), RouteEdit(OTHER, hosts(C)), RouteEdit(ModuleId(7, 1), hosts(A, B, C))]
    await RouteStore(database).edit("test", NOW, edits)
    await modules.rename("test", NOW, "modid", 1, "50% off", None)
    await modules.rename("test", NOW, "cmdid", 2, "付款", None)
    for text, found in {
        "": [M, OTHER, ModuleId(7, 1)],
        "1 2": [OTHER],
        "7": [ModuleId(7, 1)],
        "10.0.0.3": [OTHER, ModuleId(7, 1)],
        "10.0.0.1:80": [M, ModuleId(7, 1)],
        "10.0.0.1:81": [],
        "% OFF": [M, OTHER],
        "付": [OTHER],
        "_": [],
        "'; DROP TABLE RouteData; --": [],
    }.items():
        assert [m.id for m in await modules.find(ModuleSearch(text), 0)] == found, text
        assert await modules.count(text) == len(found), text
    [of_three] = [m for m in await modules.find(ModuleSearch("10.0.0.1"), 0) if m.id == (7, 1)]
    assert of_three.hosts == 3, "all of its hosts are counted"
    for sort in ("module", "name", "hosts", "calls", "errors"):
        up = [m.id for m in await modules.find(ModuleSearch(sort=sort), 0)]
        down = [m.id for m in await modules.find(ModuleSearch(sort=sort, descending=True), 0)]
        assert sorted(up) == sorted(down) == [M, OTHER, ModuleId(7, 1)]
    assert [m.id for m in await modules.find(ModuleSearch(sort="hosts", limit=1, descending=True), 0)] == [(7, 1)]
    assert [m.id for m in await modules.find(ModuleSearch(after=M, limit=1), 0)] == [OTHER]
    assert [m.id for m in await modules.find(ModuleSearch(offset=2, limit=1), 0)] == [(7, 1)]


async def test_modules_in_trouble_are_found_and_sorted_by_error_rate(database: Database) -> None:
    fails, ejects, fine, idle = (ModuleId(1, n) for n in range(1, 5))
    minute = int(NOW) // 60 * 60

    def fill_txn(txn: Transaction) -> None:
        history = "INSERT INTO ServerCallHistory VALUES (?, 1, ?, ?, 80, ?, ?, 0)"
        counts = [(1, 98, 2), (2, 1000, 0), (3, 9990, 10)]
        txn.execute_many(history, [(minute, cmdid, A.ip, succ, err) for cmdid, succ, err in counts])
        status = "INSERT INTO ServerCallStatus VALUES (1, ?, ?, 80, 9, 0, 0, ?, '1')"
        txn.execute_many(status, [(2, A.ip, int(NOW)), (4, A.ip, int(NOW) - 1000)])

    await database.write("fill", fill_txn)
    every = [fails, ejects, fine, idle]
    await RouteStore(database).edit("test", NOW, [RouteEdit(module, hosts(A, B)) for module in every])
    store, ejected_since = ModuleStore(database), int(NOW) - 180
    by_rate = await store.find(ModuleSearch(sort="rate", descending=True), minute)
    assert [m.id for m in by_rate] == [fails, fine, ejects, idle]
    for sort, expected in (("module", [ejects, fails]), ("rate", [fails, ejects]), ("errors", [fails, ejects])):
        search = ModuleSearch(sort=sort, descending=True, ejected_since=ejected_since)
        assert [(m.id, m.hosts) for m in await store.find(search, minute)] == [(one, 2) for one in expected]
        assert await store.count_troubled(search, minute) == 2
    for sort in ("name", "hosts"):
        found = await store.find(ModuleSearch("1 2", sort, ejected_since=ejected_since), minute)
        assert [m.id for m in found] == [ejects]


async def test_machine_is_edited_in_all_modules_unless_it_has_changed(database: Database) -> None:
    machines, routes = MachineStore(database), RouteStore(database)
    await routes.edit("test", NOW, [RouteEdit(M, hosts(A, B)), RouteEdit(OTHER, hosts(A))])
    await ModuleStore(database).rename("test", NOW, "cmdid", 2, "付款", None)
    seen = (await machines.machine(A.ip)).seen
    drain = HostChange(drain=Drain(int(NOW) + 60, "kernel update"))
    assert len((await machines.edit("test", NOW, A.ip, drain, seen)).changed) == 2
    drained = await machines.machine(A.ip)
    shown = [(host.module, host.name, host.host, host.record.drain_reason) for host in drained.hosts]
    assert shown == [(M, "", A, "kernel update"), (OTHER, "付款", A, "kernel update")]
    with pytest.raises(EditConflict):
        await machines.edit("test", NOW, A.ip, HostChange(undrain=True), seen)
    assert (await machines.machine(A.ip)).draining == 2


async def test_edit_of_a_host_or_of_the_settings_conflicts_with_another_of_the_same_alone(database: Database) -> None:
    modules, routes = ModuleStore(database), RouteStore(database)
    await routes.edit("test", NOW, [RouteEdit(M, hosts(A, B))])
    edits = [
        RouteEdit(M, change={A: HostChange(weight=50)}),
        RouteEdit(M, change={B: HostChange(weight=60)}),
        RouteEdit(M, settings=lambda now: {**now, "panic": False}),
    ]
    before = await modules.module(M)
    for edit in edits:
        await modules.edit("test", NOW, edit, before.seen_by(edit))
    for edit in edits:
        with pytest.raises(EditConflict):
            await modules.edit("test", NOW, edit, before.seen_by(edit))
    now = await modules.module(M)
    assert (now.records[A].weight, now.records[B].weight, now.settings) == (50, 60, '{"panic":false}')


async def test_edit_of_a_module_that_has_changed_is_a_conflict(database: Database) -> None:
    modules = ModuleStore(database)
    seen = (await modules.module(M)).seen
    await modules.edit("one", NOW, RouteEdit(M, hosts(A)), seen)
    with pytest.raises(EditConflict, match=r"\(1, 1\)"):
        await modules.edit("two", NOW, RouteEdit(M, hosts(B), replace=True), seen)
    assert (await modules.module(M)).hosts == (A,)
    [edit] = await AuditStore(database).edits(M, None, 10)
    assert (edit.actor, edit.edit.before, edit.edit.after) == ("one", "", str(A))


async def test_hosts_that_register_themselves_are_no_conflict_and_lose_their_lease_with_their_place(
    database: Database,
) -> None:
    modules, leases = ModuleStore(database), LeaseStore(database)
    await modules.edit("one", NOW, RouteEdit(M, hosts(A)), None)
    seen = (await modules.module(M)).seen
    stored = await leases.store(Batch({(M, B): Registration(30, "api")}, {}))
    assert stored.new == {(M, B)}
    assert (await leases.store(Batch({(M, B): Registration(30, "api")}, {}))).version == stored.version
    await modules.edit("one", NOW, RouteEdit(M, hosts(C)), seen)
    await modules.edit("one", NOW, RouteEdit(M, remove=hosts(B)), None)
    assert await leases.places() == set()
    again = await leases.store(Batch({(M, B): Registration(30, "api"), (OTHER, A): Registration(0, "x")}, {}))
    assert again.new == {(M, B), (OTHER, A)}
    assert (await leases.store(Batch({}, {(M, B): "api"}))).version > again.version
    assert (await modules.module(M)).hosts == (A, C)


async def test_two_first_admins_at_once_are_one(database: Database) -> None:
    accounts = AccountStore(database)
    tries = [Deferred.fromCoroutine(accounts.add_first_admin(f"admin{n}", "hash", NOW)) for n in range(2)]
    outcomes = await gatherResults([attempt.addErrback(lambda f: f.trap(AccountRefused)) for attempt in tries])
    assert sorted(map(str, outcomes)) == sorted(["None", str(AccountRefused)])
    assert len(await accounts.users()) == 1


async def test_sessions_end_and_removed_users_take_all_with_them(database: Database) -> None:
    accounts = AccountStore(database)
    await accounts.add("test", "ada", "hash", "admin", NOW)
    await accounts.add("test", "bob", "hash", "editor", NOW)
    await accounts.begin_session(Session("s" * 64, "bob", int(NOW), int(NOW) + 10), NOW)
    await accounts.add_token("test", NewToken("t" * 64, "scaler", "bob", "editor"), NOW)
    user = await accounts.session("s" * 64, NOW + 9)
    assert user is not None
    assert user.role == "editor"
    assert await accounts.session("s" * 64, NOW + 10) is None
    await accounts.remove("test", "bob", NOW)
    assert await accounts.session("s" * 64, NOW) is None
    assert await accounts.token("t" * 64) is None


async def test_token_may_do_no_more_than_its_user_may_now(database: Database) -> None:
    accounts = AccountStore(database)
    await accounts.add("test", "ada", "hash", "admin", NOW)
    await accounts.add("test", "bob", "hash", "editor", NOW)
    for digest, role in (("a" * 64, "editor"), ("b" * 64, "viewer")):
        await accounts.add_token("test", NewToken(digest, "scaler", "bob", role), NOW)
    for of_user, of_tokens in (("viewer", ["viewer", "viewer"]), ("admin", ["editor", "viewer"])):
        await accounts.set_role("test", "bob", of_user, NOW)
        tokens = [await accounts.token(digest * 64) for digest in "ab"]
        assert [token.role if token else None for token in tokens] == of_tokens


async def test_list_of_a_person_leaves_hosts_that_registered_themselves_as_they_are(database: Database) -> None:
    modules, leases = ModuleStore(database), LeaseStore(database)
    await modules.edit("one", NOW, RouteEdit(M, hosts(A)), None)
    await leases.store(Batch({(M, B): Registration(30, "api")}, {}))
    shown = await modules.module(M)
    assert shown.kept_by_people == (A,)
    await leases.store(Batch({(M, C): Registration(30, "api")}, {(M, B): "api"}))
    await modules.edit("one", NOW, RouteEdit(M, hosts(D), replace=True), shown.seen)
    assert set((await modules.module(M)).hosts) == {C, D}
    assert await leases.places() == {(M, C)}


async def test_two_lars_web_let_half_of_a_module_leave_together(database: Database) -> None:
    stores = [LeaseStore(database), LeaseStore(database)]
    nodes = [parse_host(f"10.0.0.{n}:80") for n in range(1, 11)]
    await stores[0].store(Batch({(M, node): Registration(3, "api") for node in nodes}, {}))
    silent = (await stores[0].look(0.0)).now + 10
    left = 0
    for store in stores * 2:
        expired = await store.expire(silent, 2.5, 1000.0, 60.0, lambda silence: leaving(silence, 0.5))
        left += expired.left.get(M, 0)
    assert left == 5
    assert expired.kept == {M: 5}


async def test_trouble_and_history_are_summed(database: Database) -> None:
    minute = int(NOW) // 60 * 60

    def fill_txn(txn: Transaction) -> None:
        history = "INSERT INTO ServerCallHistory VALUES (?, 1, ?, ?, 80, ?, ?, 0)"
        txn.execute_many(history, [(minute, 1, A.ip, 60, 40), (minute, 1, B.ip, 100, 0), (minute, 2, A.ip, 1000, 1)])
        status = "INSERT INTO ServerCallStatus VALUES (1, ?, ?, 80, ?, 0, 0, ?, ?)"
        txn.execute_many(status, [(1, A.ip, 9, int(NOW), "1"), (1, A.ip, 8, int(NOW), "0"), (2, A.ip, 9, 1, "1")])
        txn.execute("INSERT INTO CallerSeen (caller, ts) VALUES (9, ?)", (int(NOW),))

    await database.write("fill", fill_txn)
    await RouteStore(database).edit("test", NOW, [RouteEdit(M, hosts(A, B))])
    calls = CallStore(database)
    fleet = await FleetStore(database).fleet(NOW, 300)
    assert [(t.module, t.hosts, t.overloaded, t.succ, t.err) for t in fleet.trouble] == [(M, 2, 1, 160, 40)]
    assert (fleet.overloaded, fleet.agents_count, fleet.agents_silent) == (1, 1, 0)
    assert await calls.minutes(minute) == {minute: (1160, 41)}
    assert await FleetStore(database).sizes() == (1, 2)
    buckets = await calls.history(M, minute - 60, 300)
    assert {(b.at % 300, b.host, b.succ, b.err) for b in buckets} == {(0, A, 60, 40), (0, B, 100, 0)}
    state = (await HostStateStore(database).states([M], NOW))[M][A]
    assert (state.callers, state.overloaded_at) == (2, 1)
