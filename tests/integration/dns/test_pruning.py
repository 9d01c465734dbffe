"""Old rows of RouteChange are deleted, by age and up to a row that has been seen; on both engines."""

import pytest

from lars.db.engine import Transaction
from lars.db.route_reads import prune_changes_txn
from tests.integration.dns.running import Routes

WEEK_AGO = 1_795_000_000


async def insert(routes: Routes, versions: list[int]) -> None:
    """Rows of RouteChange, numbered from 1."""

    def insert_txn(txn: Transaction) -> None:
        rows = [(1, 1, version) for version in versions]
        txn.execute_many("INSERT INTO RouteChange (modid, cmdid, version) VALUES (?, ?, ?)", rows)

    await routes.database.write("insert changes", insert_txn)


async def left(routes: Routes) -> list[int]:
    """The ids that are there."""
    rows = await routes.database.read("look", lambda txn: txn.all("SELECT id FROM RouteChange ORDER BY id"))
    return [row[0] for row in rows]


async def pruned(routes: Routes, up_to: int) -> int:
    return await routes.database.write("prune RouteChange", prune_changes_txn, up_to, WEEK_AGO)


@pytest.mark.parametrize(
    ("versions", "up_to", "remain"),
    [
        ([], 10, []),
        ([WEEK_AGO, WEEK_AGO + 1], 10, [1, 2]),
        ([WEEK_AGO - 2, WEEK_AGO - 1, WEEK_AGO], 10, [3]),
        ([WEEK_AGO - 2, WEEK_AGO - 1], 1, [2]),  # the second has not been seen for long
        ([5, WEEK_AGO + 9, 7, WEEK_AGO], 10, [2, 4]),  # legacy tools write any number there
        ([WEEK_AGO - 1], 0, [1]),
    ],
)
async def test_rows_that_are_old_and_were_seen_are_deleted_and_no_others(
    routes: Routes, versions: list[int], up_to: int, remain: list[int]
) -> None:
    await insert(routes, versions)
    assert await pruned(routes, up_to) == len(versions) - len(remain)
    assert await left(routes) == remain


async def test_many_rows_are_deleted_a_thousand_at_a_time(routes: Routes) -> None:
    await insert(routes, [WEEK_AGO - 1] * 2_100 + [WEEK_AGO])
    assert [await pruned(routes, 2_101) for _ in range(4)] == [1_000, 1_000, 100, 0]
    assert await left(routes) == [2_101]
