"""What differs between database engines, behind one interface (docs/design/database.md, engines).

SQL is written once, with `?` for parameters, in the subset that MySQL 5.7, MySQL 8, MariaDB and SQLite share; what
that subset cannot say is a method here.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol

from lars.errors import LarsError

Row = tuple[Any, ...]


class Connection(Protocol):
    """A DB-API connection."""

    def cursor(self) -> Any: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...


class DatabaseError(LarsError):
    """A query failed; the text names the database, the query and the engine's reason."""


class DatabaseAway(DatabaseError):
    """The database cannot be reached, does not answer in time, or lost a lock race: the same work may pass later."""


class SnapshotTooOld(DatabaseAway):
    """A table was made anew after the read began; a read that begins now sees it."""


class Transaction:
    """One transaction, in a pool thread; what functions whose name ends in `_txn` are given."""

    __slots__ = ("_cursor", "engine")

    def __init__(self, engine: "Engine", cursor: Any) -> None:
        self.engine = engine
        self._cursor = cursor

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Runs one statement; the number of rows it changed or, for a query, -1 or the number it found."""
        self._cursor.execute(self.engine.placeholders(sql), parameters)
        return int(self._cursor.rowcount)

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Runs one statement for each row; an INSERT … VALUES (?, …) goes to a server as multi-row statements."""
        if rows:
            self._cursor.executemany(self.engine.placeholders(sql), rows)

    def execute_numbers(self, sql: str, rows: Sequence[Sequence[int]]) -> None:
        """As execute_many for an INSERT … VALUES (?, …) … of nothing but integers, at a fraction of its cost."""
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

    def stream(self, sql: str, parameters: Sequence[Any] = (), size: int = 500) -> Iterator[list[Row]]:
        """The rows of a query in lists of at most `size`, read as they come: memory holds one list, not the result.

        Exhaust it before the next statement.
        """
        cursor = self.engine.streaming_cursor(self._cursor)
        try:
            cursor.execute(self.engine.placeholders(sql), parameters)
            while rows := cursor.fetchmany(size):
                yield list(rows)
        finally:
            cursor.close()


class Engine(ABC):
    """One kind of database, and where this one is."""

    name: ClassVar[str]
    begin_read: ClassVar[str]
    """Starts a transaction whose reads all see one moment."""
    begin_write: ClassVar[str]
    """Starts a transaction that will write."""
    for_update: ClassVar[str]
    """Appended to a SELECT in a write transaction, locks its rows until the end."""
    errors: ClassVar[type[Exception]]
    """What the driver raises."""
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
        """Makes every query that other threads run or wait for a lock with, now or later, fail at once.

        The engine is of no further use.
        """

    def is_snapshot_too_old(self, error: Exception) -> bool:
        """Whether a table was made anew after the transaction began, so that the read is to begin again."""
        return False

    @abstractmethod
    def is_passing(self, error: Exception) -> bool:
        """Whether the same work may pass later: connection refused or lost, lock not got, deadlock."""

    @abstractmethod
    def is_missing_table(self, error: Exception) -> bool:
        """Whether a table or column of the schema is not there."""

    @abstractmethod
    def is_bad_row(self, error: Exception) -> bool:
        """Whether a row was refused for what it holds: the same row will always be, others need not."""

    @abstractmethod
    def reason(self, error: Exception) -> str:
        """The engine's reason for an error, in one line."""

    @abstractmethod
    def placeholders(self, sql: str) -> str:
        """The statement with the driver's own parameter marks."""

    def execute_numbers(self, cursor: Any, sql: str, rows: Sequence[Sequence[int]]) -> None:
        """Runs an INSERT … VALUES (?, …) … for rows of integers."""
        cursor.executemany(self.placeholders(sql), rows)

    @abstractmethod
    def streaming_cursor(self, cursor: Any) -> Any:
        """A second cursor of the same transaction that reads rows as they come."""

    @abstractmethod
    def upsert(self, table: str, key: Sequence[str], replace: Iterable[str], add: Iterable[str] = ()) -> str:
        """An INSERT of key + replace + add columns, in that order, that on an equal key overwrites or sums up."""

    @abstractmethod
    def insert_ignore(self, table: str, columns: Sequence[str]) -> str:
        """An INSERT that leaves a row alone whose unique key is already there."""

    @abstractmethod
    def delete_some(self, table: str, condition: str, limit: int) -> str:
        """A DELETE of at most so many of the rows that meet a condition, which an index must serve."""

    @abstractmethod
    def column_names(self, txn: Transaction, table: str) -> list[str]:
        """The columns of a table in their order; empty if there is no such table."""

    @abstractmethod
    def has_index(self, txn: Transaction, table: str, index: str) -> bool:
        """Whether the table has an index of that name."""

    @abstractmethod
    def create_database(self) -> bool:
        """Creates the database itself where a server lacks it; whether it did. Runs in a pool thread."""

    @abstractmethod
    def schema_lock(self, txn: Transaction) -> AbstractContextManager[None]:
        """Keeps other `lars db init` out meanwhile; waits while another has it."""

    @abstractmethod
    def adopt_cpp_columns(self, txn: Transaction) -> list[str]:
        """Changes columns of the C++ system's own tables to ours, keeping all values; says what it did."""


def values_clause(columns: Sequence[str]) -> str:
    """ "(a, b) VALUES (?, ?)" for columns a and b."""
    return f"({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
