"""Old reports out of the database, a few rows in a transaction, so that no writer waits long.

See docs/design/reporter.md, pruning.
"""

from collections.abc import Iterator
from typing import NamedTuple

from lars.db.database import Database
from lars.db.engine import Row, Transaction

FOUND_AT_ONCE = 5_000
"""Rows looked for in one read."""

DELETED_AT_ONCE = 500
"""Rows deleted in one transaction."""


INDEXED = {"ServerCallHistory": "minute < ?", "Alarm": "cleared_at > 0 AND cleared_at < ?"}
"""What says by an index that a row is old: deleting these touches, and locks, old rows only."""


class Aged(NamedTuple):
    """A table whose rows are told apart by a key and have `ts`, a time in Unix seconds."""

    table: str
    key: tuple[str, ...]


AGED = (
    Aged("ServerCallStatus", ("modid", "cmdid", "ip", "port", "caller")),
    Aged("ReportCursor", ("caller", "boot")),
    Aged("CallerSeen", ("caller",)),
)
"""What has no index on its time, because each report would have to change that as well: rows are found by a read that
locks nothing, and deleted by key."""


class ReportPruning:
    """Deletes what is older than a time, in steps that the caller paces."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def indexed(self, table: str, before: int) -> int:
        """Deletes some rows of one of INDEXED of before a time (Unix seconds); how many, 0 when none are left."""
        return await self._database.write(f"prune {table}", _prune_indexed_txn, table, before)

    async def find(self, aged: Aged, before: int) -> list[Row]:
        """The keys of some rows that were last written before a time; fewer than FOUND_AT_ONCE are all of them."""
        return await self._database.read(f"find old rows of {aged.table}", _find_aged_txn, aged, before)

    async def delete(self, aged: Aged, keys: list[Row], before: int) -> None:
        """Deletes rows by key, but for those that have been written anew since; DELETED_AT_ONCE at most."""
        await self._database.write(f"prune {aged.table}", _delete_aged_txn, aged, keys, before)


def _prune_indexed_txn(txn: Transaction, table: str, before: int) -> int:
    return txn.execute(txn.engine.delete_some(table, INDEXED[table], DELETED_AT_ONCE), (before,))


def _find_aged_txn(txn: Transaction, aged: Aged, before: int) -> list[Row]:
    columns = ", ".join(aged.key)
    return txn.all(f"SELECT {columns} FROM {aged.table} WHERE ts < ? LIMIT {FOUND_AT_ONCE}", (before,))


def _delete_aged_txn(txn: Transaction, aged: Aged, keys: list[Row], before: int) -> None:
    same = " AND ".join(f"{column} = ?" for column in aged.key)
    txn.execute_many(f"DELETE FROM {aged.table} WHERE {same} AND ts < ?", [(*key, before) for key in keys])


def lots(keys: list[Row]) -> Iterator[list[Row]]:
    """The keys, DELETED_AT_ONCE together."""
    return (keys[i : i + DELETED_AT_ONCE] for i in range(0, len(keys), DELETED_AT_ONCE))
