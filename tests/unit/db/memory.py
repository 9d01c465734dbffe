"""An SQLite database in memory, for tests of functions that take a Transaction."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from twisted.trial.unittest import SynchronousTestCase

from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.schema import init_txn
from lars.db.sqlite import SqliteEngine, add_functions
from lars.db.url import SqliteUrl

P = ParamSpec("P")
T = TypeVar("T")


def empty_database() -> Transaction:
    """A transaction on a database without tables."""
    return _connected()[1]


def _connected() -> tuple[sqlite3.Connection, Transaction]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    add_functions(connection)
    cursor = connection.cursor()
    cursor.execute("BEGIN")
    return connection, Transaction(SqliteEngine(SqliteUrl(Path("memory.db"))), cursor)


def database() -> Transaction:
    """A transaction on a database with the schema."""
    txn = empty_database()
    init_txn(txn)
    return txn


class MemoryDatabase(Database):
    """A database without threads: each transaction ends before `read` or `write` returns."""

    def __init__(self) -> None:
        self._connection, self.txn = _connected()
        init_txn(self.txn)
        self.engine = self.txn.engine

    async def read(
        self, name: str, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self.write(name, function, *args, **kwargs)

    async def write(
        self, name: str, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        self.txn.execute("SAVEPOINT one")
        try:
            return function(self.txn, *args, **kwargs)
        except BaseException:
            self.txn.execute("ROLLBACK TO SAVEPOINT one")
            raise
        finally:
            self.txn.execute("RELEASE SAVEPOINT one")

    write_again = write
    write_repeatable = write

    def set_clock(self, now: float) -> None:
        """Sets the database's clock, in Unix seconds; it stands still."""
        days = now / 86_400 + 2_440_587.5
        self._connection.create_function("julianday", 1, lambda _now: days)


class StoreCase(SynchronousTestCase):
    """Tests of a store on a database in memory. On both engines: tests/integration."""

    def setUp(self) -> None:
        self.database = MemoryDatabase()
        self.txn = self.database.txn
