"""The database of a service: named transactions in adbapi's threads, retried outside the transaction.

See docs/design/database.md, transactions.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from twisted.enterprise import adbapi
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

from lars.db.engine import Connection, DatabaseAway, DatabaseError, Engine, SnapshotTooOld, Transaction
from lars.db.mysql import MysqlEngine
from lars.db.sqlite import SqliteEngine
from lars.db.url import DatabaseUrl, MysqlUrl
from lars.db.write_cursor import WriteCursor
from lars.runtime.daemon_threads import DaemonThreadPool
from lars.runtime.reactor import IReactor

P = ParamSpec("P")
T = TypeVar("T")


def engine_for(url: DatabaseUrl) -> Engine:
    """The engine for a URL."""
    return MysqlEngine(url) if isinstance(url, MysqlUrl) else SqliteEngine(url)


RERUNS = (0.02, 0.05, 0.1, 0.2, 0.4)
"""Seconds, at most, before each further run of a transaction that the database has undone."""


class _Undone(Exception):
    """A transaction has changed nothing, and is to run again."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class _Pool(adbapi.ConnectionPool):
    """adbapi's threads, with connections made by the engine.

    adbapi leaves a dead connection in the pool, where it fails the next query as well, and logs a traceback when a
    rollback fails. Here a connection that cannot roll back after an error is closed silently, and the caller gets
    the error.
    """

    noisy = False

    def __init__(self, engine: Engine, reactor: IReactor, threads: int) -> None:
        self._engine = engine
        # adbapi wants the name of a module with connect(), which it never calls because connect is overridden.
        super().__init__("sqlite3", cp_reactor=reactor, cp_min=1, cp_max=threads, cp_noisy=False)  # type: ignore[no-untyped-call]  # adbapi has no types

    def start(self) -> None:
        if not self.running:
            self.threadpool = DaemonThreadPool(self.min, self.max)
        super().start()  # type: ignore[no-untyped-call]  # adbapi has no types

    def connect(self) -> Connection:
        thread = self.threadID()  # type: ignore[no-untyped-call]  # adbapi has no types
        connection: Connection | None = self.connections.get(thread)
        if connection is None:
            connection = self.connections[thread] = self._engine.connect()
        return connection

    def run(self, begin: str, interaction: Callable[[Transaction], T], write: WriteCursor | None) -> T:
        """Runs one transaction, in this pool thread: again if the database has undone it, as in a deadlock.

        With `write`, also if the answer to its commit is lost, to find out whether it is committed.
        """
        for pause in RERUNS:
            try:
                return self._run_once(begin, interaction, write)
            except _Undone:
                time.sleep(pause * random.random())
        try:
            return self._run_once(begin, interaction, write)
        except _Undone as undone:
            raise undone.error from None

    def _run_once(self, begin: str, interaction: Callable[[Transaction], T], write: WriteCursor | None) -> T:
        """Raises _Undone if the transaction is to run again."""
        connection, at_commit = self._usable(begin), False
        try:
            cursor = connection.cursor()
            try:
                txn = Transaction(self._engine, cursor)
                result = interaction(txn) if write is None else write.run(txn, interaction)
            finally:
                cursor.close()
            at_commit = True
            connection.commit()
        except self._engine.errors as error:
            self._give_up(connection, error)
            if self._engine.is_undone(error, at_commit):
                raise _Undone(error) from error
            if at_commit and write is not None and self._engine.is_passing(error):
                write.is_unknown = True
                if self._engine.is_lost(error) or self._engine.is_refusal(error):
                    raise _Undone(error) from error
            raise
        except BaseException:
            self._give_up(connection)
            raise
        if write is not None:
            write.is_unknown = False
        return result

    def _usable(self, begin: str) -> Connection:
        """A connection whose transaction has begun; one that the server has closed, or refuses, is replaced first."""
        for is_last in (False, True):
            connection = self.connect()
            cursor = connection.cursor()
            try:
                self._engine.begin(cursor, begin)
            except self._engine.errors as error:
                self._give_up(connection, error)
                if is_last or not (self._engine.is_lost(error) or self._engine.is_refusal(error)):
                    raise
            else:
                return connection
            finally:
                cursor.close()
        raise AssertionError("not reached")

    def _give_up(self, connection: Connection, error: Exception | None = None) -> None:
        try:
            if error is not None and self._engine.is_refusal(error):
                connection.close()
            connection.rollback()  # which fails on one that is closed
        except Exception:
            self.connections.pop(self.threadID(), None)  # type: ignore[no-untyped-call]
            try:
                connection.close()
            except Exception:
                return  # the connection was dead already; the caller gets the error that revealed it


class Database:
    """Named transactions on one database.

    `read`, `write`, `write_again` and `write_repeatable` run a function with a Transaction in a pool thread; no query
    runs on the reactor's thread. The function may run several times, each time in a transaction of its own. The name
    of a transaction is for error texts. They raise DatabaseAway if a retry may succeed, DatabaseError otherwise; what
    the function itself raises passes through unchanged.

    Args:
        engine: the database; `close` makes it unusable.
        reactor: runs the pool.
        threads: pool threads at most, each with a connection of its own.
    """

    def __init__(self, engine: Engine, reactor: IReactor, threads: int = 2) -> None:
        self.engine = engine
        self._reactor = reactor
        self._pool = _Pool(engine, reactor, threads)
        self._closed = False
        self._waiting: set[Deferred[Any]] = set()
        self._cursors: list[WriteCursor] = []  # those that no write is using

    def start(self) -> None:
        """Starts the pool's threads, unless the start of the reactor has."""
        if not self._pool.running and not self._closed:
            self._pool.start()

    async def read(
        self, name: str, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Runs a function that only reads; it sees the database as of one moment."""
        try:
            return await self._run(self.engine.begin_read, name, lambda txn: function(txn, *args, **kwargs))
        except SnapshotTooOld:
            return await self._run(self.engine.begin_read, name, lambda txn: function(txn, *args, **kwargs))

    async def write(
        self, name: str, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Runs a function that writes; its effect is there once, even if the answer to a commit is lost.

        The text of a DatabaseAway says so if it is not known whether the effect is there.
        """
        return await self._write(name, lambda txn: function(txn, *args, **kwargs), pauses=())

    async def write_again(
        self, name: str, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As write; tries up to four times while it would raise DatabaseAway."""
        return await self._write(name, lambda txn: function(txn, *args, **kwargs), pauses=(0.05, 0.2, 0.8))

    async def write_repeatable(
        self, name: str, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As write, but cheaper: for a function that has the effect of once even if it is committed twice."""
        return await self._run(self.engine.begin_write, name, lambda txn: function(txn, *args, **kwargs))

    async def _write(self, name: str, function: Callable[[Transaction], T], pauses: Sequence[float]) -> T:
        cursor = self._free_cursor() if self.engine.loses_answers else None
        try:
            for pause in pauses:
                try:
                    return await self._run(self.engine.begin_write, name, function, cursor)
                except DatabaseAway:
                    if self._closed:
                        raise
                    await self._pause(pause * (1 + random.random()))
            return await self._run(self.engine.begin_write, name, function, cursor)
        except DatabaseAway as error:
            if cursor is not None and cursor.is_unknown:
                raise DatabaseAway(f"{error}; it may be done all the same: look before you repeat it") from error
            raise
        finally:
            if cursor is not None and not cursor.is_unknown:
                self._cursors.append(cursor)

    def _free_cursor(self) -> WriteCursor:
        cursor = self._cursors.pop() if self._cursors else WriteCursor()
        cursor.begin()
        return cursor

    async def _pause(self, seconds: float) -> None:
        """Raises DatabaseAway if the database is closed meanwhile."""
        over: Deferred[None] = Deferred()
        self._waiting.add(over)
        call = self._reactor.callLater(seconds, self._answered, None, over)
        try:
            await over
        finally:
            if call.active():
                call.cancel()

    async def _run(
        self, begin: str, name: str, function: Callable[[Transaction], T], cursor: WriteCursor | None = None
    ) -> T:
        if self._closed:
            raise DatabaseAway(f"{self.engine.where}: {name}: the connection is being closed")
        self.start()
        answer: Deferred[T] = Deferred()
        self._waiting.add(answer)
        deferToThreadPool(self._reactor, self._pool.threadpool, self._pool.run, begin, function, cursor).addBoth(
            self._answered, answer
        )
        try:
            return await answer
        except self.engine.errors as error:
            text = f"{self.engine.where}: {name}: {self.engine.reason(error)}"
            if self.engine.is_missing_table(error):
                raise DatabaseError(f"{text}; run `lars db init` to create what is missing") from error
            if self.engine.is_snapshot_too_old(error):
                raise SnapshotTooOld(text) from error
            if self.engine.is_passing(error):
                raise DatabaseAway(text) from error
            raise DatabaseError(text) from error

    def _answered(self, result: object, answer: Deferred[Any]) -> None:
        if answer in self._waiting:
            self._waiting.remove(answer)
            answer.callback(result)  # which may be a Failure

    def close(self) -> None:
        """Interrupts running queries and ends the threads, without waiting for the database.

        What a thread does that cannot be interrupted, such as a look-up of the server's name, raises DatabaseAway.
        """
        if not self._closed:
            self._closed = True
            self.engine.interrupt_all()
            self._pool.close()  # type: ignore[no-untyped-call]  # adbapi has no types
            if self._waiting:
                self._reactor.callLater(0, self._give_up)  # after the answers of the threads that have ended

    def _give_up(self) -> None:
        for answer in tuple(self._waiting):
            error = DatabaseAway(f"{self.engine.where}: the connection is being closed")
            self._answered(Failure(error), answer)
