"""The watcher when looks, checks and edits cross: its table always ends equal to the database."""

from collections.abc import Awaitable, Callable
from typing import Any

from lars.db.database import Database
from lars.db.engine import DatabaseAway
from lars.db.route_reads import BUCKETS
from lars.db.routes import RouteEdit
from lars.dns.table import Refused, pack_routes
from lars.route import ModuleId
from tests.integration.dns.watched import NOW, A, B, M, N, Watched, add, change, version
from tests.unit.dns.plain_rows import plain_rows

ELSEWHERE = ModuleId(7, 7)


async def test_saved_modules_that_the_database_has_no_more_are_emptied_by_the_first_check(
    database: Database, reactor: Any
) -> None:
    watched = Watched(database, reactor)
    for module, packed in pack_routes(plain_rows([(*M, *A), (*ELSEWHERE, *A)]), {}, Refused()):
        watched.table.put(module, packed)
    await watched.store.edit("test", NOW, [RouteEdit(M, frozenset([A]))])
    assert await watched.poll() == [ELSEWHERE]
    assert watched.hosts(M) == [A]
    assert watched.hosts(ELSEWHERE) == []


async def test_edit_that_a_look_saw_and_that_is_undone_before_the_check_is_undone_here_too(watched: Watched) -> None:
    await watched.run(add(B), change(NOW + 5), version(NOW + 5))
    await watched.watcher._look(NOW)
    assert watched.hosts() == [A, B]
    await watched.run(("DELETE FROM RouteData WHERE serverip = ?", (B.ip,)))
    assert await watched.poll() == [M]
    assert watched.hosts() == [A]


async def test_module_that_a_look_saw_come_and_that_goes_before_the_check_goes_here_too(watched: Watched) -> None:
    await watched.run(add(B, N), change(NOW + 5, N), version(NOW + 5))
    await watched.watcher._look(NOW)
    assert watched.hosts(N) == [B]
    await watched.run(("DELETE FROM RouteData WHERE cmdid = ?", (N.cmdid,)))
    assert await watched.poll() == [N]
    assert watched.hosts(N) == []


async def test_look_that_read_before_a_check_did_publishes_nothing_old(watched: Watched) -> None:
    """A look reads; then an edit comes and a check reads it; then the look's answer is taken."""
    watcher, database = watched.watcher, watched.database
    read = database.read
    reads: list[str] = []

    async def crossed(name: str, function: Callable[..., Any], *args: Any) -> Any:
        found = await read(name, function, *args)
        reads.append(name)
        if len(reads) == 1:
            await watched.run(add(A, N), ("DELETE FROM RouteData WHERE serverip = ?", (B.ip,)))
            await check()
        return found

    check: Callable[[], Awaitable[None]] = watcher._check
    await watched.run(add(B), change(NOW + 5), version(NOW + 5))
    watched.published = []
    database.read = crossed  # type: ignore[method-assign,assignment]
    await watcher._look(NOW)
    assert reads == ["look for changed routes", "check all routes", "look for changed routes"]
    assert watched.published == [N]
    assert (watched.hosts(M), watched.hosts(N)) == ([A], [A])
    assert watcher.version == NOW + 5


async def test_modules_that_came_while_a_check_read_are_not_taken_for_vanished(watched: Watched) -> None:
    watcher, database = watched.watcher, watched.database
    read = database.read
    edits = [RouteEdit(ModuleId(2, number), frozenset([A])) for number in range(5)]
    reads: list[str] = []

    async def crossed(name: str, function: Callable[..., Any], *args: Any) -> Any:
        found = await read(name, function, *args)
        reads.append(name)
        if len(reads) == 1:
            await watched.store.edit("test", NOW + 5, edits)
            await watcher._look(NOW)
        return found

    watcher._forget_digests(ModuleId(0, number) for number in range(BUCKETS))  # the check reads all
    database.read = crossed  # type: ignore[method-assign,assignment]
    await watcher._check()
    assert reads == ["check all routes", "look for changed routes"]
    assert watcher._held_since is None
    assert len(watched.table) == 6


async def test_a_bug_in_a_check_is_told_once_with_its_traceback_and_the_next_check_is_tried(
    watched: Watched, logged_errors: Any
) -> None:
    watcher = watched.watcher
    publish = watcher._publish

    def broken(*_args: object) -> None:
        raise KeyError("a bug")

    watcher._publish = broken
    for number in (5, 6, 7):
        await watched.run(add(B, ModuleId(3, number)))
        watcher.checked_at = None
        watcher.check_faults._try_at = 0
        await watched.poll()
    assert watcher.check_faults.count == 3
    assert watcher.fault == "check all routes failed with a bug, KeyError: 'a bug'"
    [told] = logged_errors.take("check all routes failed with a bug")
    assert "in broken" in told
    watcher._publish = publish
    await watched.run(add(B, ModuleId(3, 8)))
    watcher.check_faults._try_at = 0
    assert ModuleId(3, 8) in await watched.poll()
    assert watcher.fault == ""


async def test_edit_that_a_look_saw_during_a_check_that_fails_is_undone_here_too(watched: Watched) -> None:
    """The look's change is not what the last check's digests were taken of, whatever comes of the one under way."""
    watcher, database = watched.watcher, watched.database
    read = database.read

    async def cut_off(name: str, function: Callable[..., Any], *args: Any) -> Any:
        if name == "check all routes":
            database.read = read  # type: ignore[method-assign]
            await watched.run(add(B), change(NOW + 5), version(NOW + 5))
            await watcher._look(NOW)
            raise DatabaseAway("the server went away while it read")
        return await read(name, function, *args)

    database.read = cut_off  # type: ignore[method-assign,assignment]
    await watcher._check()
    assert watched.hosts() == [A, B]
    await watched.run(("DELETE FROM RouteData WHERE serverip = ?", (B.ip,)))
    await watcher._check()
    assert watched.hosts() == [A]
