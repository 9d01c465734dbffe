"""The report store: each report counts once, whoever commits it and however often; on either engine."""

from collections.abc import Callable

import pytest
from twisted.internet.defer import Deferred, gatherResults

from lars.db.database import Database
from lars.db.engine import DatabaseAway, Row, Transaction
from lars.db.reports import STALE_AFTER, Calls, HistoryKey, HostStatus, Report, ReportStore, Status, StatusKey

OpenDatabase = Callable[[str], Database]

NOW = 1_800_000_000.0  # a full minute
HOST = (1, 1, 0x0A000001, 80)
CALLER = 0xC0A80101
BOOT = 2**64 - 3


@pytest.fixture
def store(database: Database) -> ReportStore:
    return ReportStore(database)


def report(
    seq: int,
    succ: int = 10,
    err: int = 1,
    *,
    caller: int = CALLER,
    boot: int = BOOT,
    ts: float = NOW,
    overloaded: bool = False,
    host: tuple[int, int, int, int] = HOST,
) -> Report:
    """One report of one host."""
    status = {StatusKey(*host, caller): Status(succ, err, int(ts), overloaded)}
    return Report(caller, boot, seq, status, {HistoryKey(int(ts) // 60 * 60, *host): Calls(succ, err)})


async def rows(database: Database, sql: str) -> list[Row]:
    def select(txn: Transaction) -> list[Row]:
        return txn.all(sql)

    return await database.read("look", select)


async def commit_at_last(store: ReportStore, *reports: Report) -> None:
    """Commits as the reporter's writers do: again after each failure that may pass, such as a deadlock."""
    for _ in range(20):
        try:
            await store.commit(reports, NOW)
        except DatabaseAway:
            continue
        return
    raise AssertionError("twenty commits in a row have failed")


async def counted(store: ReportStore) -> list[tuple[int, int]]:
    """Successes and failures of each host since for ever."""
    return [(host.succ, host.err) for host in await store.status(None, None, 0, NOW)]


async def test_reports_add_up_and_the_cursor_follows(store: ReportStore) -> None:
    assert await store.cursor(CALLER, BOOT) == 0
    assert await store.commit([report(1), report(2)], NOW) == {(CALLER, BOOT): 2}
    assert await store.commit([report(3)], NOW) == {(CALLER, BOOT): 3}
    assert await store.cursor(CALLER, BOOT) == 3
    assert await counted(store) == [(30, 3)]


async def test_a_report_committed_again_is_not_counted_again(store: ReportStore) -> None:
    reports = [report(1), report(2)]
    await store.commit(reports, NOW)
    assert await store.commit(reports, NOW) == {(CALLER, BOOT): 2}
    assert await store.commit([report(2), report(3)], NOW) == {(CALLER, BOOT): 3}
    assert await counted(store) == [(30, 3)]


async def test_a_report_twice_in_one_commit_is_counted_once(store: ReportStore) -> None:
    await store.commit([report(1), report(1)], NOW)
    assert await counted(store) == [(10, 1)]


@pytest.mark.parametrize("boot", [2, 2**31, 2**63 - 1, 2**63, 2**64 - 1])
async def test_every_boot_is_its_own(store: ReportStore, boot: int) -> None:
    await store.commit([report(7, boot=boot)], NOW)
    assert await store.cursor(CALLER, boot) == 7
    assert await store.cursor(CALLER, boot ^ 1) == 0
    assert await store.cursor(CALLER + 1, boot) == 0
    assert await store.commit([report(1, boot=boot ^ 1)], NOW) == {(CALLER, boot ^ 1): 1}
    assert await counted(store) == [(20, 2)]


async def test_reports_without_boot_are_counted_each_time(store: ReportStore) -> None:
    for _ in range(2):
        assert await store.commit([report(0, boot=0)], NOW) == {}
    assert await counted(store) == [(20, 2)]


async def test_the_highest_seq_is_kept(store: ReportStore) -> None:
    assert await store.commit([report(2**32 - 1)], NOW) == {(CALLER, BOOT): 2**32 - 1}
    assert await store.cursor(CALLER, BOOT) == 2**32 - 1


async def test_two_reporters_given_the_same_reports_count_them_once(
    store: ReportStore, open_database: OpenDatabase, database_url: str
) -> None:
    stores = [store, ReportStore(open_database(database_url))]
    await gatherResults([Deferred.fromCoroutine(commit_at_last(s, report(1), report(2))) for s in stores * 3])
    assert await counted(store) == [(20, 2)]


async def test_many_writers_with_hosts_in_common_lose_nothing(
    store: ReportStore, open_database: OpenDatabase, database_url: str
) -> None:
    stores = [store, ReportStore(open_database(database_url))]
    hosts = [(1, 1, n, 80) for n in range(20)]

    async def write(caller: int) -> None:
        for seq in range(1, 6):
            reports = [report(seq * 100 + n, caller=caller, host=host) for n, host in enumerate(hosts)]
            await commit_at_last(stores[caller % 2], *reports)

    await gatherResults([Deferred.fromCoroutine(write(caller)) for caller in range(1, 7)])
    assert await counted(store) == [(6 * 5 * 10, 6 * 5)] * 20


async def test_the_status_is_that_of_the_latest_report(database: Database, store: ReportStore) -> None:
    await store.commit([report(1, 5, 6, overloaded=True)], NOW)
    await store.commit([report(2, 7, 8, ts=NOW + 9)], NOW)
    status = await rows(database, "SELECT * FROM ServerCallStatus")
    assert status == [(*HOST, CALLER, 7, 8, int(NOW) + 9, "0")]


async def test_a_caller_is_seen_with_each_report_also_an_empty_one(database: Database, store: ReportStore) -> None:
    await store.commit([report(1)], NOW)
    await store.commit([Report(CALLER, BOOT, 2, {}, {})], NOW + 60)
    assert await rows(database, "SELECT caller, ts FROM CallerSeen") == [(CALLER, int(NOW) + 60)]
    assert await store.cursor(CALLER, BOOT) == 2


async def test_committing_nothing_does_nothing(store: ReportStore) -> None:
    assert await store.commit([], NOW) == {}
    assert await counted(store) == []


async def test_counts_past_32_bits_add_up(store: ReportStore) -> None:
    await store.commit([report(n, 2**31 - 1, 2**31 - 1) for n in range(1, 6)], NOW)
    assert await counted(store) == [(5 * (2**31 - 1), 5 * (2**31 - 1))]


async def test_approximate_calls_are_marked(database: Database, store: ReportStore) -> None:
    key = HistoryKey(int(NOW), *HOST)
    await store.commit([Report(CALLER, 0, 0, {}, {key: Calls(10, 2, 12)}), report(1)], NOW)
    assert await rows(database, "SELECT succ_cnt, err_cnt, approximate FROM ServerCallHistory") == [(20, 3, 12)]


async def test_status_sums_callers_and_counts_who_has_set_the_host_aside(store: ReportStore) -> None:
    await store.commit([report(1, overloaded=True), report(1, 1, 1, caller=5, ts=NOW - 30)], NOW)
    assert await store.status(None, None, 0, NOW) == [HostStatus(*HOST, 11, 2, 2, 1, int(NOW))]


async def test_silent_callers_are_not_counted_as_callers(store: ReportStore) -> None:
    await store.commit([report(1, overloaded=True, ts=NOW - STALE_AFTER - 1)], NOW)
    [host] = await store.status(None, None, 0, NOW)
    assert (host.callers, host.overloaded_at, host.last_report) == (0, 0, int(NOW) - STALE_AFTER - 1)


async def test_calls_before_the_asked_period_are_left_out_but_the_host_is_shown(store: ReportStore) -> None:
    await store.commit([report(1, ts=NOW - 120), report(2, ts=NOW)], NOW)
    [host] = await store.status(None, None, int(NOW) - 1, NOW)
    assert (host.succ, host.err) == (10, 1)
    [host] = await store.status(None, None, int(NOW) + 60, NOW)
    assert (host.succ, host.err, host.callers) == (0, 0, 1)


async def test_the_period_begins_with_a_whole_minute(store: ReportStore) -> None:
    await store.commit([report(1, ts=NOW)], NOW)
    [host] = await store.status(None, None, int(NOW) + 59, NOW)
    assert host.succ == 10


async def test_status_of_one_modid_and_of_one_module(store: ReportStore) -> None:
    hosts = [(1, 1, 1, 80), (1, 2, 1, 80), (2, 1, 1, 80), (1, 1, 2**32 - 1, 80)]
    await store.commit([report(n, host=host) for n, host in enumerate(hosts, 1)], NOW)

    async def shown(modid: int | None, cmdid: int | None) -> list[tuple[int, int, int]]:
        return [(h.modid, h.cmdid, h.ip) for h in await store.status(modid, cmdid, 0, NOW)]

    assert await shown(None, None) == [(1, 1, 1), (1, 1, 2**32 - 1), (1, 2, 1), (2, 1, 1)]
    assert await shown(1, None) == [(1, 1, 1), (1, 1, 2**32 - 1), (1, 2, 1)]
    assert await shown(1, 2) == [(1, 2, 1)]
    assert await shown(3, 1) == []
