"""What differs between database engines, behind one interface (docs/design/database.md, engines).

SQL is written once, with `?` for parameters, in the subset that MySQL 5.7, MySQL 8, MariaDB and SQLite share; the
rest is a method of Engine.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol

from lars.errors import LarsError

Row = tuple[Any, ...]


class Connection(Protocol):
    """A DB-API connection (PEP 249)."""

    def cursor(self) -> Any: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...


class DatabaseError(LarsError):
    """A query failed; the text names the database, the query and the engine's reason."""


class DatabaseAway(DatabaseError):
    """The database cannot be reached, does not answer in time, or broke off for a lock: a retry may succeed."""


class SnapshotTooOld(DatabaseAway):
    """A table was recreated after the read began; a read that begins now sees it."""


class Transaction:
    """One transaction, in a pool thread: the first argument of each function whose name ends in `_txn`."""

    __slots__ = ("_cursor", "engine")

    def __init__(self, engine: "Engine", cursor: Any) -> None:
        self.engine = engine
        self._cursor = cursor

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Runs one statement; returns the number of changed rows or, for a query, -1 or the number of found rows."""
        self._cursor.execute(self.engine.placeholders(sql), parameters)
        return int(self._cursor.rowcount)

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Runs one statement for each row; an INSERT … VALUES (?, …) goes to a server as multi-row statements."""
        if rows:
            self._cursor.executemany(self.engine.placeholders(sql), rows)

    def execute_numbers(self, sql: str, rows: Sequence[Sequence[int]]) -> None:
        """As execute_many, for an INSERT … VALUES (?, …) … of integers only, at a fraction of the cost."""
        if rows:
            self.engine.execute_numbers(self._cursor, sql, rows)

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows of a query."""
        self.execute(sql, parameters)
        return list(self._cursor.fetchall())

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        """The first row of a query, or None."""
        self.execute(sql, parameters)
        row: Row | None = self._cursor.fetchone()
        return row

    def now(self) -> float:
        """The database's clock: Unix seconds, the same for all who use the database."""
        (seconds,) = self.one(f"SELECT {self.engine.now}") or (0,)
        return float(seconds)

    def stream(self, sql: str, parameters: Sequence[Any] = (), size: int = 500) -> Iterator[list[Row]]:
        """The rows of a query in lists of at most `size`, of which memory holds one at a time.

        Exhaust or close it before the next statement.
        """
        cursor = self.engine.streaming_cursor(self._cursor)
        try:
            cursor.execute(self.engine.placeholders(sql), parameters)
            while rows := cursor.fetchmany(size):
                yield list(rows)
        finally:
            cursor.close()


class Engine(ABC):
    """One kind of database, and the address of one."""

    name: ClassVar[str]
    begin_read: ClassVar[str]
    """The statement that starts a transaction whose reads all see one moment."""
    begin_write: ClassVar[str]
    """The statement that starts a transaction that writes."""
    for_update: ClassVar[str]
    """The end of a SELECT in a write transaction that locks its rows until the transaction ends."""
    now: ClassVar[str]
    """The expression for the database's clock in Unix seconds, whatever the session's time zone."""
    loses_answers: ClassVar[bool]
    """Whether a commit may be done though it failed, as where a server does it."""
    errors: ClassVar[type[Exception]]
    """The base class of the driver's errors."""
    where: str
    """The database's URL without password, for messages."""

    @abstractmethod
    def connect(self) -> Connection:
        """A new connection with every timeout set, in autocommit mode; runs in a pool thread."""

    def begin(self, cursor: Any, statement: str) -> None:
        """Starts a transaction with `begin_read` or `begin_write`."""
        cursor.execute(statement)

    @abstractmethod
    def interrupt_all(self) -> None:
        """Makes the queries of all threads, also those that wait for a lock, fail at once, now and later.

        The engine cannot be used again.
        """

    def is_snapshot_too_old(self, error: Exception) -> bool:
        """Whether a table was recreated after the transaction began, so that the read must start again."""
        return False

    def is_lost(self, error: Exception) -> bool:
        """Whether the server has closed the connection, so that a new one may do."""
        return False

    def is_undone(self, error: Exception, at_commit: bool) -> bool:
        """Whether it is certain that the transaction has changed nothing, and may do if it runs again at once.

        Args:
            error: what its function, or its commit, raised.
            at_commit: whether the commit did.
        """
        return False

    def is_refusal(self, error: Exception) -> bool:
        """Whether the server takes no transactions now, and another may: the connection to it is to be closed."""
        return False

    def is_made_already(self, error: Exception) -> bool:
        """Whether a table, column or index that a statement makes is there: made meanwhile, beside the schema lock."""
        return False

    @abstractmethod
    def is_passing(self, error: Exception) -> bool:
        """Whether a retry may succeed: connection refused or lost, lock wait timeout, deadlock, disk full."""

    @abstractmethod
    def is_missing_table(self, error: Exception) -> bool:
        """Whether a table, column or database of the schema is missing."""

    @abstractmethod
    def is_bad_row(self, error: Exception) -> bool:
        """Whether the values of a row were refused: a retry fails, other rows may succeed."""

    @abstractmethod
    def reason(self, error: Exception) -> str:
        """The engine's reason for an error, in one line."""

    @abstractmethod
    def placeholders(self, sql: str) -> str:
        """The statement with the driver's parameter marks in place of `?`."""

    def execute_numbers(self, cursor: Any, sql: str, rows: Sequence[Sequence[int]]) -> None:
        """Runs an INSERT … VALUES (?, …) … for rows of integers."""
        cursor.executemany(self.placeholders(sql), rows)

    @abstractmethod
    def streaming_cursor(self, cursor: Any) -> Any:
        """A second cursor of the same transaction that does not buffer its rows."""

    @abstractmethod
    def upsert(self, table: str, key: Sequence[str], replace: Iterable[str], add: Iterable[str] = ()) -> str:
        """An INSERT of key + replace + add columns, in that order; on a duplicate key, it overwrites and adds up."""

    @abstractmethod
    def insert_ignore(self, table: str, columns: Sequence[str]) -> str:
        """An INSERT that does nothing on a duplicate key."""

    @abstractmethod
    def delete_some(self, table: str, condition: str, limit: int) -> str:
        """A DELETE of at most `limit` rows that meet a condition; an index must cover it."""

    @abstractmethod
    def column_names(self, txn: Transaction, table: str) -> list[str]:
        """The columns of a table, in order; empty if there is no such table."""

    @abstractmethod
    def has_index(self, txn: Transaction, table: str, index: str) -> bool:
        """Whether the table has an index of that name."""

    @abstractmethod
    def create_database(self) -> bool:
        """Creates the database on its server; returns False if it exists. Runs in a pool thread."""

    @abstractmethod
    def schema_lock(self, txn: Transaction) -> AbstractContextManager[None]:
        """A lock against another `lars db init`; entering waits for it."""

    @abstractmethod
    def adopt_cpp_columns(self, txn: Transaction) -> list[str]:
        """Converts columns of the C++ system's tables to this schema and keeps all values; returns what it did."""


def values_clause(columns: Sequence[str]) -> str:
    """ "(a, b) VALUES (?, ?)" for columns a and b."""
    return f"({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
