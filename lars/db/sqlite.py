"""SQLite, from the standard library: WAL, a busy timeout, BEGIN IMMEDIATE for writes (design 5)."""

import sqlite3
from collections.abc import Iterable, Sequence
from weakref import WeakSet

from lars.db.engine import Connection, Engine, Transaction, values_clause
from lars.db.url import SqliteUrl

BUSY_TIMEOUT = 5.0
"""Seconds that a statement waits for another writer."""

_PASSING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_CANTOPEN)


class _Connection(sqlite3.Connection):
    """A connection that a WeakSet can hold."""

    __slots__ = ("__weakref__",)


class SqliteEngine(Engine):
    """A database file; created when it is first connected to."""

    name = "sqlite"
    begin_read = "BEGIN"
    begin_write = "BEGIN IMMEDIATE"
    for_update = ""
    errors = sqlite3.Error

    def __init__(self, url: SqliteUrl) -> None:
        self.path = url.path
        self.where = str(url)
        self._open: WeakSet[_Connection] = WeakSet()

    def connect(self) -> Connection:
        # Closed by the pool from the reactor's thread, hence check_same_thread; never used by two threads at once.
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, factory=_Connection
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error:
            connection.close()
            raise
        self._open.add(connection)
        return connection

    def interrupt_all(self) -> None:
        for connection in tuple(self._open):
            try:
                connection.interrupt()
            except sqlite3.ProgrammingError:
                continue  # closed already

    def is_passing(self, error: Exception) -> bool:
        return isinstance(error, sqlite3.Error) and (getattr(error, "sqlite_errorcode", 0) & 255) in _PASSING

    def is_missing_table(self, error: Exception) -> bool:
        return isinstance(error, sqlite3.OperationalError) and str(error).startswith(
            ("no such table", "no such column")
        )

    def reason(self, error: Exception) -> str:
        return str(error)

    def placeholders(self, sql: str) -> str:
        return sql

    def upsert(self, table: str, key: Sequence[str], replace: Iterable[str], add: Iterable[str] = ()) -> str:
        replace, add = list(replace), list(add)
        changes = [f"{c} = excluded.{c}" for c in replace] + [f"{c} = {table}.{c} + excluded.{c}" for c in add]
        insert = f"INSERT INTO {table} {values_clause([*key, *replace, *add])}"
        return f"{insert} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {', '.join(changes)}"

    def insert_ignore(self, table: str, columns: Sequence[str]) -> str:
        return f"INSERT INTO {table} {values_clause(columns)} ON CONFLICT DO NOTHING"

    def column_names(self, txn: Transaction, table: str) -> list[str]:
        return [row[1] for row in txn.all(f"PRAGMA table_info({table})")]

    def has_index(self, txn: Transaction, table: str, index: str) -> bool:
        return any(row[1] == index for row in txn.all(f"PRAGMA index_list({table})"))

    def create_database(self) -> bool:
        return False  # connecting does

    def lock_schema(self, txn: Transaction) -> None:
        """BEGIN IMMEDIATE has done it: SQLite has one writer at a time."""

    def adopt_cpp_columns(self, txn: Transaction) -> list[str]:
        return []  # its columns hold any integer and any text as they are
