"""SQLite, from the standard library: WAL, a busy timeout, BEGIN IMMEDIATE for writes.

See docs/design/database.md, engines.
"""

import os
import sqlite3
import stat
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakSet

from lars.db.engine import Connection, Engine, Transaction, values_clause
from lars.db.url import SqliteUrl

BUSY_TIMEOUT = 5.0
"""Seconds that a transaction waits for another writer."""

_SQLITE_WAIT = 0.1
"""Seconds that SQLite itself waits for a lock; `_retry_while_busy` waits longer, since it can be interrupted."""

_PASSING = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
)


class _Connection(sqlite3.Connection):
    """A connection that a WeakSet can hold."""

    __slots__ = ("__weakref__",)

    def close(self) -> None:
        """Closes after one more query, which ends an interrupt: otherwise SQLite would leave its WAL file behind."""
        with suppress(sqlite3.Error):
            self.execute("SELECT 1").fetchall()
        super().close()


def add_functions(connection: sqlite3.Connection) -> None:
    """Gives a connection the functions of MySQL that queries use."""
    connection.create_function("CRC32", 1, _crc32, deterministic=True)


def _crc32(value: object) -> int:
    return zlib.crc32(value if isinstance(value, bytes) else str(value).encode())


class SqliteEngine(Engine):
    """A database file, created by the first connection."""

    name = "sqlite"
    begin_read = "BEGIN"
    begin_write = "BEGIN IMMEDIATE"
    for_update = ""
    now = "(julianday('now') - 2440587.5) * 86400.0"
    loses_answers = False
    errors = sqlite3.Error

    def __init__(self, url: SqliteUrl) -> None:
        self.path = url.path
        self.where = str(url)
        self._lock = Lock()  # guards _open
        self._open: WeakSet[_Connection] = WeakSet()
        self._interrupted = False

    def connect(self) -> Connection:
        # The pool closes it from the reactor's thread, hence check_same_thread; no two threads ever use it at once.
        self._keep_private()
        connection = sqlite3.connect(
            self.path, timeout=_SQLITE_WAIT, isolation_level=None, check_same_thread=False, factory=_Connection
        )
        try:
            # The busy timeout does not cover the switch to WAL: of two at once, one fails immediately.
            self._retry_while_busy(connection.execute, "PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            add_functions(connection)
        except sqlite3.Error:
            connection.close()
            raise
        with self._lock:
            self._open.add(connection)
        return connection

    def _keep_private(self) -> None:
        """Makes a new file readable to its owner alone, since it holds hashes of passwords, and an old one likewise.

        A group that may write keeps its access. SQLite gives its WAL the mode of the file.
        """
        try:
            # Only ever a new file: to close a descriptor of an old one would end this process's locks on it.
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            for path in (self.path, Path(f"{self.path}-wal"), Path(f"{self.path}-shm")):
                with suppress(OSError):  # another user's, or not there
                    mode = path.stat().st_mode
                    others = stat.S_IRWXO if mode & stat.S_IWGRP else stat.S_IRWXO | stat.S_IRWXG
                    if mode & others:
                        path.chmod(stat.S_IMODE(mode) & ~others)
        except OSError:
            return  # which connect says better

    def begin(self, cursor: Any, statement: str) -> None:
        self._retry_while_busy(cursor.execute, statement)

    def _retry_while_busy(self, execute: Callable[[str], object], statement: str) -> None:
        give_up = time.monotonic() + BUSY_TIMEOUT
        while True:
            try:
                execute(statement)
                return
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 255 == sqlite3.SQLITE_BUSY
                if not busy or self._interrupted or time.monotonic() > give_up:
                    raise
            time.sleep(0.01)

    def interrupt_all(self) -> None:
        self._interrupted = True
        with self._lock:
            connections = tuple(self._open)
        for connection in connections:
            try:
                connection.interrupt()
            except sqlite3.ProgrammingError:
                continue  # closed already

    def is_passing(self, error: Exception) -> bool:
        return isinstance(error, sqlite3.Error) and (getattr(error, "sqlite_errorcode", 0) & 255) in _PASSING

    def is_bad_row(self, error: Exception) -> bool:
        return isinstance(error, sqlite3.IntegrityError)

    def is_missing_table(self, error: Exception) -> bool:
        missing = ("no such table", "no such column", "has no column named")
        return isinstance(error, sqlite3.OperationalError) and any(text in str(error) for text in missing)

    def reason(self, error: Exception) -> str:
        return str(error)

    def placeholders(self, sql: str) -> str:
        return sql

    def delete_some(self, table: str, condition: str, limit: int) -> str:
        return f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE {condition} LIMIT {limit})"

    def streaming_cursor(self, cursor: Any) -> Any:
        return cursor.connection.cursor()

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
        return False  # the first connection does

    def schema_lock(self, txn: Transaction) -> AbstractContextManager[None]:
        return nullcontext()  # BEGIN IMMEDIATE locks: SQLite has one writer at a time

    def adopt_cpp_columns(self, txn: Transaction) -> list[str]:
        return []  # SQLite columns hold any integer and any text
