"""The database for one command: the reactor runs until the work is done."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from lars.cli.starting import wait_while_starting
from lars.db.database import Database, engine_for
from lars.db.engine import DatabaseError, Engine, Transaction
from lars.db.url import DatabaseUrl, SqliteUrl
from lars.errors import LarsError
from lars.runtime.reactor import monotonic_reactor

T = TypeVar("T")
Work = Callable[[Database], Awaitable[T]]


class NoDatabase(LarsError):
    """The SQLite file does not exist."""


def run_with_database(url: DatabaseUrl, work: Work[T]) -> T:
    """Opens the database for the work, and returns its result. Raises NoDatabase, and never creates a file.

    One that a Lars in this folder is about to create is waited for.
    """
    _check_file(url)
    return run_with_engine(engine_for(url), work)


def read_once(url: DatabaseUrl, name: str, function: Callable[[Transaction], T]) -> T:
    """What a function reads, without a reactor, so that run_with_database can follow.

    `name` is for error texts. Raises NoDatabase and DatabaseError.
    """
    _check_file(url)
    engine = engine_for(url)
    try:
        with closing(engine.connect()) as connection:
            cursor = connection.cursor()
            engine.begin(cursor, engine.begin_read)
            result = function(Transaction(engine, cursor))
            connection.rollback()
            return result
    except engine.errors as error:
        raise DatabaseError(f"{engine.where}: {name}: {engine.reason(error)}") from error


def _check_file(url: DatabaseUrl) -> None:
    if not isinstance(url, SqliteUrl):
        return
    path = url.path
    wait_while_starting(lambda: _has_tables(path))
    if not path.exists():
        raise NoDatabase(f"{url}: no such file: run `lars db init` to create it, or give another with --db")


def _has_tables(path: Path) -> bool:
    """Whether the file is there, with the schema in it: both are made in one transaction."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'SchemaVersion'").fetchall())
    except sqlite3.Error:
        return False


def run_with_engine(engine: Engine, work: Work[T]) -> T:
    """Like run_with_database, with a given engine. A process can call it once, because a reactor runs only once.

    Raises KeyboardInterrupt if a signal stops the reactor first.
    """
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    reactor = monotonic_reactor()
    database = Database(engine, reactor)
    outcome: list[T | Failure] = []

    async def working() -> T:
        return await work(database)

    def ended(result: T | Failure) -> None:
        outcome.append(result)
        if reactor.running:
            reactor.stop()

    def close() -> None:
        outcome.append(Failure(KeyboardInterrupt()))  # the outcome, unless there is one already
        database.close()

    reactor.addSystemEventTrigger("before", "shutdown", close)
    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(working()).addBoth(ended))
    reactor.run()
    first = outcome[0]
    if isinstance(first, Failure):
        first.raiseException()
    return first
