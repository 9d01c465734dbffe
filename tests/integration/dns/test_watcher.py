"""The watcher on real databases: every edit is found, whoever wrote it and however; nothing false is published."""

from itertools import permutations
from typing import Any

import pytest

from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.route_reads import look_txn
from lars.db.routes import RouteEdit
from lars.dns.packed_route import RoutedHost, unpack
from lars.route import ModuleId
from tests.integration.dns.watched import NOW, A, B, M, N, Watched, add, change, version
from tests.integration.waiting import until

LEGACY = {"D": add(B), "V": version(NOW + 5), "C": change(NOW + 5)}
ORDERS = ["".join(order) for letters in ("DVC", "DV") for order in permutations(letters)]


@pytest.mark.parametrize("order", ORDERS)
async def test_legacy_edit_with_a_poll_between_any_two_statements_is_found(watched: Watched, order: str) -> None:
    found: list[ModuleId] = []
    for letter in order:
        await watched.run(LEGACY[letter])
        found += await watched.poll()
        if letter == "V" and "D" in order[: order.index("V")]:
            assert found == [M], "the version shows it: at once"
    if not found:  # nothing showed it: at the next check at the latest
        watched.watcher.checked_at = None
        found += await watched.poll()
    assert found == [M]
    assert watched.hosts() == [A, B]


async def test_edit_that_no_version_shows_is_found_by_the_next_check(watched: Watched) -> None:
    await watched.run(add(B))
    assert await watched.poll() == []
    watched.watcher.checked_at = None
    assert await watched.poll() == [M]


async def test_second_edit_in_the_same_second_is_found(watched: Watched) -> None:
    await watched.run(add(B), change(NOW + 5), version(NOW + 5))
    assert await watched.poll() == [M]
    await watched.run(add(A, N), change(NOW + 5, N), version(NOW + 5))
    watched.watcher.checked_at = None
    assert await watched.poll() == [N]


async def test_smaller_version_is_a_change_too(watched: Watched) -> None:
    await watched.run(add(B), version(7))
    assert await watched.poll() == [M]
    assert watched.watcher.version == 7


async def test_edit_that_changes_nothing_publishes_nothing(watched: Watched) -> None:
    await watched.run(change(NOW + 5), version(NOW + 5))
    assert await watched.poll() == []


async def test_change_of_one_module_reads_only_that_module(watched: Watched) -> None:
    edits = [RouteEdit(ModuleId(2, n), frozenset([A])) for n in range(300)]
    await watched.store.edit("test", NOW + 5, edits)
    await watched.poll()
    read: list[int] = []
    hints = watched.watcher._take_look
    watched.watcher._take_look = lambda look: (read.append(len(look.rows)), hints(look))  # type: ignore[assignment,func-returns-value]
    await watched.store.edit("test", NOW + 9, [RouteEdit(ModuleId(2, 5), frozenset([B]))])
    assert await watched.poll() == [ModuleId(2, 5)]
    assert read == [2]


async def test_import_of_very_many_modules_is_found(watched: Watched) -> None:
    edits = [RouteEdit(ModuleId(2, n), frozenset([A])) for n in range(2_500)]
    await watched.store.edit("test", NOW + 5, edits)
    assert len(await watched.poll()) == 2_500
    assert len(watched.table) == 2_501


BY_SQL = (
    ("UPDATE RouteData SET weight = 50 WHERE modid = 1", RoutedHost(A, 50)),
    ("UPDATE RouteData SET zone = 'eu-1' WHERE modid = 1", RoutedHost(A, 100, "eu-1")),
    ("UPDATE RouteData SET weight = -1 WHERE modid = 1", RoutedHost(A)),
)


@pytest.mark.parametrize(("sql", "host"), BY_SQL)
async def test_edit_of_a_record_by_sql_alone_is_found(watched: Watched, sql: str, host: RoutedHost) -> None:
    """By the next check if only the row was changed, by the next look if the version was too."""
    await watched.run((sql, ()))
    watched.watcher.checked_at = None
    found = await watched.poll()
    assert unpack(watched.table.routes[M]).hosts == (host,)
    assert found == ([] if host == RoutedHost(A) else [M])
    await watched.run(("UPDATE RouteData SET weight = 7, zone = 'x' WHERE modid = 1", ()), version(NOW + 5))
    assert await watched.poll() == [M]
    assert unpack(watched.table.routes[M]).hosts == (RoutedHost(A, 7, "x"),)


async def test_settings_of_a_module_are_found_however_they_were_written(watched: Watched) -> None:
    await watched.store.edit("test", NOW + 5, [RouteEdit(M, settings=lambda _now: {"panic": False})])
    assert await watched.poll() == [M]
    assert unpack(watched.table.routes[M]).settings == '{"panic":false}'
    await watched.run(("UPDATE ModuleSettings SET settings = '{\"panic\":true}'", ()))
    watched.watcher.checked_at = None
    assert await watched.poll() == [M]
    assert unpack(watched.table.routes[M]).settings == '{"panic":true}'
    await watched.run(("INSERT INTO ModuleSettings VALUES (9, 9, '{}', 1)", ()))  # of a module without hosts
    watched.watcher.checked_at = None
    assert await watched.poll() == []


async def test_route_change_emptied_by_another_dns_hides_nothing(watched: Watched) -> None:
    await watched.run(add(B), change(NOW + 5), version(NOW + 5), ("DELETE FROM RouteChange", ()))
    assert await watched.poll() == [M]


async def test_emptied_module_is_published_and_an_absent_table_is_not(watched: Watched) -> None:
    await watched.store.edit("test", NOW + 5, [RouteEdit(M, remove=frozenset([A]))])
    assert await watched.poll() == [M]
    assert watched.hosts() == []
    await watched.store.edit("test", NOW + 6, [RouteEdit(M, frozenset([A]))])
    await watched.poll()
    await watched.run(("ALTER TABLE RouteData RENAME TO Elsewhere", ()), version(NOW + 9))
    assert await watched.poll() == []
    assert watched.hosts() == [A]
    assert "lars db init" in watched.watcher.fault
    await watched.run(("ALTER TABLE Elsewhere RENAME TO RouteData", ()))
    await until(watched.watcher._clock, lambda: watched.watcher.look_faults.may_try(_now(watched)), "the next attempt")
    await until(watched.watcher._clock, lambda: _polled(watched), "the fault to be over")


def _now(watched: Watched) -> float:
    return float(watched.watcher._clock.seconds())


async def _polled(watched: Watched) -> bool:
    await watched.poll()
    return not watched.watcher.fault


async def test_reload_in_which_most_modules_vanish_is_held(
    database: Database, reactor: Any, logged_errors: Any
) -> None:
    watched = Watched(database, reactor, protect_time=0.2)
    modules = [ModuleId(1, n) for n in range(1, 11)]
    await watched.store.edit("test", NOW, [RouteEdit(module, frozenset([A])) for module in modules])
    await watched.poll()
    await watched.run(("DELETE FROM RouteData WHERE cmdid > 3", ()), version(NOW + 5))
    assert await watched.poll() == []
    assert len(watched.table) == 10
    await until(reactor, lambda: _vanished(watched, 7), "the reload to be believed")


async def test_held_reload_that_was_a_mistake_publishes_nothing(database: Database, reactor: Any) -> None:
    watched = Watched(database, reactor, protect_time=0.05)
    edits = [RouteEdit(ModuleId(1, n), frozenset([A])) for n in range(1, 11)]
    await watched.store.edit("test", NOW, edits)
    await watched.poll()
    await watched.run(("DELETE FROM RouteData", ()), version(NOW + 5))
    assert await watched.poll() == []
    rows = [(*edit.module, *A) for edit in edits]

    def restore_txn(txn: Transaction) -> None:
        txn.execute_many("INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (?, ?, ?, ?)", rows)

    await database.write("put back what was deleted", restore_txn)
    await until(reactor, lambda: _unheld(watched), "the hold to end")
    assert watched.published == []
    assert len(watched.table) == 10


async def _vanished(watched: Watched, count: int) -> bool:
    return len(await watched.poll()) == count


async def _unheld(watched: Watched) -> bool:
    assert await watched.poll() == []
    return watched.watcher._held_since is None


async def test_half_of_the_modules_may_go_at_once(watched: Watched) -> None:
    await watched.store.edit("test", NOW + 5, [RouteEdit(ModuleId(1, n), frozenset([A])) for n in range(2, 5)])
    await watched.poll()
    await watched.run(("DELETE FROM RouteData WHERE cmdid > 2", ()), version(NOW + 9))
    assert len(await watched.poll()) == 2


async def test_check_that_read_before_an_edit_does_not_undo_it(watched: Watched, reactor: Any) -> None:
    watcher = watched.watcher
    started: list[int] = []
    original = watcher._slices

    async def slices(items: list[Any]) -> Any:
        """Between what the check has read and what it does with it, an edit comes and a look finds it."""
        if not started:
            started.append(1)
            await watched.store.edit("test", NOW + 50, [RouteEdit(M, frozenset([B]))])
            look = await watched.database.read("look", look_txn, watcher.version or 0, watcher.change_id)
            assert look is not None
            watcher._take_look(look)
        async for some in original(items):
            yield some

    watcher._slices = slices  # type: ignore[method-assign]
    watcher._digests = {}
    watcher.checked_at = None
    await watched.poll()
    assert watched.hosts() == [A, B]
    assert watched.published == [M]
