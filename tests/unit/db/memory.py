"""An SQLite database in memory, for tests of functions that take a Transaction."""

import sqlite3
from pathlib import Path

from lars.db.engine import Transaction
from lars.db.schema import init_txn
from lars.db.sqlite import SqliteEngine
from lars.db.url import SqliteUrl


def empty_database() -> Transaction:
    """A transaction on a database without tables."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    cursor = connection.cursor()
    cursor.execute("BEGIN")
    return Transaction(SqliteEngine(SqliteUrl(Path("memory.db"))), cursor)


def database() -> Transaction:
    """A transaction on a database with the schema."""
    txn = empty_database()
    init_txn(txn)
    return txn
