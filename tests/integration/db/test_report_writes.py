"""Writes of reports: each counts once, no matter which reporter commits it or how often; on both engines."""

from collections.abc import Callable

import pytest
from twisted.internet.defer import Deferred, gatherResults

from lars.db.database import Database
from lars.db.engine import DatabaseAway, Row, Transaction
from lars.db.report_rows import Group, Rows, pack_host
from lars.db.report_writes import Committed, ReportWrites
from lars.db.reports import STALE_AFTER, HostHistory, HostStatus, MinuteCalls, ReportStore
from lars.route import HostAddress, ModuleId

OpenDatabase = Callable[[str], Database]

NOW = 1_800_000_000.0  # a full minute
HOST = (1, 1, 0x0A000001, 80)
CALLER = 0xC0A80101
BOOT = 2**64 - 3


@pytest.fixture
def writes(database: Database) -> ReportWrites:
    return ReportWrites(database)


@pytest.fixture
def store(database: Database) -> ReportStore:
    return ReportStore(database)


def group(
    first: int,
    last: int = 0,
    succ: int = 10,
    err: int = 1,
    *,
    caller: int = CALLER,
    boot: int = BOOT,
    ts: float = NOW,
    overloaded: bool = False,
    host: tuple[int, int, int, int] = HOST,
    derived: bool = False,
) -> Group:
    """The reports of one host from seq first to last."""
    module, packed = ModuleId(*host[:2]), pack_host(*host[2:])
    calls = {(int(ts) // 60 * 60, *module): {packed: [succ, err]}}
    status = {module: {packed: (succ, err, int(ts), overloaded)}}
    rows = Rows(status, {}, calls) if derived else Rows(status, calls)
    return Group(caller, boot, first, last or first, rows)


async def commit(writes: ReportWrites, *groups: Group) -> Committed:
    return await writes.commit(groups, {group.run for group in groups}, NOW)


async def rows(database: Database, sql: str) -> list[Row]:
    def select(txn: Transaction) -> list[Row]:
        return txn.all(sql)

    return await database.read("look", select)


async def commit_at_last(writes: ReportWrites, *groups: Group) -> None:
    """Commits as the reporter's writers do: again after each failure that may pass, such as a deadlock."""
    for _ in range(20):
        try:
            await commit(writes, *groups)
        except DatabaseAway:
            continue
        return
    raise AssertionError("twenty commits in a row have failed")


async def counted(store: ReportStore) -> list[tuple[int, int]]:
    """Successes and failures of each host since for ever."""
    return [(host.succ, host.err) for host in await store.status(None, None, 0, NOW)]


async def test_groups_add_up_and_the_cursor_follows(writes: ReportWrites, store: ReportStore) -> None:
    assert (await commit(writes, group(1), group(2, 5))).cursors == {(CALLER, BOOT): 5}
    assert (await commit(writes, group(6))).cursors == {(CALLER, BOOT): 6}
    assert await counted(store) == [(30, 3)]


async def test_a_group_committed_again_is_not_counted_again(writes: ReportWrites, store: ReportStore) -> None:
    groups = [group(1), group(2, 5)]
    await commit(writes, *groups)
    again = await commit(writes, *groups)
    assert (again.cursors, again.overtaken) == ({(CALLER, BOOT): 5}, set())
    assert (await commit(writes, group(5), group(6))).cursors == {(CALLER, BOOT): 6}
    assert await counted(store) == [(30, 3)]


async def test_of_a_group_that_is_partly_counted_nothing_is_written_nor_of_what_follows(
    writes: ReportWrites, store: ReportStore
) -> None:
    await commit(writes, group(1, 3))
    done = await commit(writes, group(2, 5), group(6), group(1, caller=7))
    assert done.overtaken == {(CALLER, BOOT)}
    assert done.cursors == {(CALLER, BOOT): 3, (7, BOOT): 1}
    assert await counted(store) == [(20, 2)]
    assert (await commit(writes, group(4, 6))).cursors == {(CALLER, BOOT): 6}


@pytest.mark.parametrize("boot", [2, 2**31, 2**63 - 1, 2**63, 2**64 - 1])
async def test_every_boot_is_its_own(writes: ReportWrites, store: ReportStore, boot: int) -> None:
    await commit(writes, group(7, boot=boot))
    assert (await commit(writes, group(1, boot=boot ^ 1))).cursors == {(CALLER, boot ^ 1): 1}
    assert (await commit(writes, group(1, boot=boot, caller=CALLER + 1))).cursors == {(CALLER + 1, boot): 1}
    assert (await commit(writes, group(7, boot=boot))).cursors == {(CALLER, boot): 7}
    assert await counted(store) == [(30, 3)]


async def test_the_highest_seq_is_kept(writes: ReportWrites) -> None:
    assert (await commit(writes, group(2**32 - 1))).cursors == {(CALLER, BOOT): 2**32 - 1}


async def test_thousands_of_runs_in_one_transaction(writes: ReportWrites, store: ReportStore) -> None:
    groups = [group(1, 3, caller=caller) for caller in range(1, 2001)]
    for _ in range(2):
        assert set((await commit(writes, *groups)).cursors.values()) == {3}
    assert await counted(store) == [(20_000, 2000)]


async def test_two_reporters_given_the_same_reports_count_them_once(
    writes: ReportWrites, store: ReportStore, open_database: OpenDatabase, database_url: str
) -> None:
    both = [writes, ReportWrites(open_database(database_url))]
    await gatherResults([Deferred.fromCoroutine(commit_at_last(w, group(1), group(2))) for w in both * 3])
    assert await counted(store) == [(20, 2)]


async def test_many_writers_with_hosts_in_common_lose_nothing(
    writes: ReportWrites, store: ReportStore, open_database: OpenDatabase, database_url: str
) -> None:
    both = [writes, ReportWrites(open_database(database_url))]
    hosts = [(1, 1, n, 80) for n in range(20)]

    async def write(caller: int) -> None:
        for seq in range(1, 6):
            groups = [group(seq * 100 + n, caller=caller, host=host) for n, host in enumerate(hosts)]
            await commit_at_last(both[caller % 2], *groups)

    await gatherResults([Deferred.fromCoroutine(write(caller)) for caller in range(1, 7)])
    assert await counted(store) == [(6 * 5 * 10, 6 * 5)] * 20


async def test_the_status_is_that_of_the_latest_report_as_the_cpp_tools_read_it(
    database: Database, writes: ReportWrites
) -> None:
    await commit(writes, group(1, succ=5, err=6, overloaded=True))
    assert await rows(database, "SELECT * FROM ServerCallStatus") == [(*HOST, CALLER, 5, 6, int(NOW), "1")]
    await commit(writes, group(2, succ=4, err=4, overloaded=True), group(3, succ=7, err=8, ts=NOW + 9))
    assert await rows(database, "SELECT * FROM ServerCallStatus") == [(*HOST, CALLER, 7, 8, int(NOW) + 9, "0")]


async def test_a_caller_is_seen_with_each_report_also_an_empty_one(database: Database, writes: ReportWrites) -> None:
    await commit(writes, group(1))
    await writes.commit([Group(CALLER, BOOT, 2, 2)], [], NOW + 60)
    assert await rows(database, "SELECT caller, ts FROM CallerSeen") == [(CALLER, int(NOW) + 60)]
    assert await rows(database, "SELECT seq, ts FROM ReportCursor") == [(2, int(NOW) + 60)]


async def test_counts_past_their_columns_are_clamped(database: Database, writes: ReportWrites) -> None:
    await commit(writes, *[group(n, succ=2**32 - 1, err=2**32 - 1) for n in range(1, 6)])
    counts = "SELECT succ_cnt, err_cnt FROM"
    assert await rows(database, f"{counts} ServerCallStatus") == [(2**31 - 1, 2**31 - 1)]
    assert await rows(database, f"{counts} ServerCallHistory") == [(5 * (2**32 - 1), 5 * (2**32 - 1))]


async def test_calls_derived_from_running_counters_are_marked(database: Database, writes: ReportWrites) -> None:
    await commit(writes, group(1, succ=10, err=2, derived=True, boot=5), group(1))
    assert await rows(database, "SELECT succ_cnt, err_cnt, approximate FROM ServerCallHistory") == [(20, 3, 12)]


async def refuse_odd_hosts(database: Database) -> None:
    """A limit that an operator may have set: hosts 3 and 5 are refused."""

    def limit(txn: Transaction) -> None:
        for table in ("ServerCallStatus", "ServerCallHistory"):
            if txn.engine.name == "mysql":
                txn.execute(f"ALTER TABLE {table} ADD CONSTRAINT {table}_odd CHECK (ip NOT IN (3, 5))")
            else:
                txn.execute(
                    f"CREATE TRIGGER {table}_odd BEFORE INSERT ON {table} WHEN NEW.ip IN (3, 5) "
                    "BEGIN SELECT RAISE(ABORT, 'odd_host refused'); END"
                )

    await database.write("set a limit", limit)


async def test_of_a_refused_batch_the_bad_rows_are_told_and_all_others_written_once(
    database: Database, writes: ReportWrites, store: ReportStore
) -> None:
    await refuse_odd_hosts(database)
    done = await commit(writes, *[group(n, host=(1, 1, n, 80), succ=n) for n in range(1, 10)])
    assert done.cursors == {(CALLER, BOOT): 9}
    assert done.rows == {"ServerCallStatus": 7, "ServerCallHistory": 7}
    assert len(done.refused) == 4
    assert all("odd" in row and "module (1, 1), host 0.0.0." in row for row in done.refused)
    assert await counted(store) == [(n, 1) for n in (1, 2, 4, 6, 7, 8, 9)]


async def test_status_sums_callers_and_counts_who_has_set_the_host_aside(
    writes: ReportWrites, store: ReportStore
) -> None:
    await commit(writes, group(1, overloaded=True), group(1, succ=1, caller=5, ts=NOW - 30))
    assert await store.status(None, None, 0, NOW) == [HostStatus(*HOST, 11, 2, 2, 1, int(NOW))]


async def test_silent_callers_are_not_counted_as_callers(writes: ReportWrites, store: ReportStore) -> None:
    await commit(writes, group(1, overloaded=True, ts=NOW - STALE_AFTER - 1))
    [host] = await store.status(None, None, 0, NOW)
    assert (host.callers, host.overloaded_at, host.last_report) == (0, 0, int(NOW) - STALE_AFTER - 1)


async def test_calls_before_the_asked_period_are_left_out_but_the_host_is_shown(
    writes: ReportWrites, store: ReportStore
) -> None:
    await commit(writes, group(1, ts=NOW - 120), group(2, ts=NOW))
    [host] = await store.status(None, None, int(NOW) - 1, NOW)
    assert (host.succ, host.err) == (10, 1)
    [host] = await store.status(None, None, int(NOW) + 60, NOW)
    assert (host.succ, host.err, host.callers) == (0, 0, 1)


async def test_the_period_begins_with_a_whole_minute(writes: ReportWrites, store: ReportStore) -> None:
    await commit(writes, group(1, ts=NOW))
    [host] = await store.status(None, None, int(NOW) + 59, NOW)
    assert host.succ == 10
    assert await store.history(None, None, int(NOW) + 60) == []


async def test_status_and_history_of_one_modid_and_of_one_module(writes: ReportWrites, store: ReportStore) -> None:
    hosts = [(1, 1, 1, 80), (1, 2, 1, 80), (2, 1, 1, 80), (1, 1, 2**32 - 1, 80)]
    await commit(writes, *[group(n, host=host) for n, host in enumerate(hosts, 1)])

    async def shown(modid: int | None, cmdid: int | None) -> list[tuple[int, int, int]]:
        found = [(h.modid, h.cmdid, h.ip) for h in await store.status(modid, cmdid, 0, NOW)]
        assert [(*h.module, h.host.ip) for h in await store.history(modid, cmdid, 0)] == found
        return found

    assert await shown(None, None) == [(1, 1, 1), (1, 1, 2**32 - 1), (1, 2, 1), (2, 1, 1)]
    assert await shown(1, None) == [(1, 1, 1), (1, 1, 2**32 - 1), (1, 2, 1)]
    assert await shown(1, 2) == [(1, 2, 1)]
    assert await shown(3, 1) == []


async def test_history_is_by_minute_and_says_what_is_approximate(writes: ReportWrites, store: ReportStore) -> None:
    await commit(writes, group(1, ts=NOW - 120), group(2, ts=NOW - 70), group(1, boot=9, succ=1, err=0, derived=True))
    minutes = {
        int(NOW) - 120: MinuteCalls(20, 2, 0),
        int(NOW): MinuteCalls(1, 0, 1),
    }
    assert await store.history(1, 1, 0) == [HostHistory(ModuleId(1, 1), HostAddress(*HOST[2:]), minutes)]
