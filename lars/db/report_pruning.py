"""Deletion of old reports, a few rows in a transaction, so that no writer waits long.

See docs/design/reporter.md, pruning.
"""

from collections.abc import Iterator
from typing import NamedTuple

from lars.db.database import Database
from lars.db.engine import Row, Transaction

FOUND_AT_ONCE = 5_000
"""Rows found by one read."""

DELETED_AT_ONCE = 500
"""Rows deleted in one transaction."""


INDEXED = {"ServerCallHistory": "minute < ?", "Alarm": "cleared_at > 0 AND cleared_at < ?"}
"""Table -> the condition for an old row, which an index covers: its deletion locks old rows only."""


class Aged(NamedTuple):
    """A table with a primary key and a column `ts`, in Unix seconds."""

    table: str
    key: tuple[str, ...]


AGED = (
    Aged("ServerCallStatus", ("modid", "cmdid", "ip", "port", "caller")),
    Aged("ReportCursor", ("caller", "boot")),
    Aged("CallerSeen", ("caller",)),
    Aged("WriteCursor", ("id",)),
    Aged("CallerHost", ("modid", "cmdid", "ip", "port", "caller")),
    Aged("CallerRoute", ("modid", "cmdid", "caller")),
    Aged("AgentInfo", ("caller",)),
)
"""Tables without an index on `ts`, since each report would have to update it: old rows are found by a read that locks
nothing, and deleted by key."""


class ReportPruning:
    """Deletes reports that are older than a time (Unix seconds), in steps that the caller paces."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def indexed(self, table: str, before: int) -> int:
        """Deletes up to DELETED_AT_ONCE old rows of one of INDEXED; returns how many, 0 when none are left."""
        return await self._database.write(f"prune {table}", _prune_indexed_txn, table, before)

    async def find(self, aged: Aged, before: int) -> list[Row]:
        """The keys of up to FOUND_AT_ONCE rows that were last written before a time."""
        return await self._database.read(f"find old rows of {aged.table}", _find_aged_txn, aged, before)

    async def delete(self, aged: Aged, keys: list[Row], before: int) -> None:
        """Deletes rows by key, at most DELETED_AT_ONCE, except those that have been written since."""
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
    """The keys in lists of at most DELETED_AT_ONCE."""
    return (keys[i : i + DELETED_AT_ONCE] for i in range(0, len(keys), DELETED_AT_ONCE))
