"""The database for one command: the reactor runs for as long as its work takes."""

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from lars.db.database import Database, engine_for
from lars.db.engine import Engine
from lars.db.url import DatabaseUrl, SqliteUrl
from lars.errors import LarsError
from lars.runtime.reactor import IReactor

T = TypeVar("T")
Work = Callable[[Database], Awaitable[T]]


class NoDatabase(LarsError):
    """The SQLite file is not there."""


def run_with_database(url: DatabaseUrl, work: Work[T]) -> T:
    """What the work, given the open database, returns or raises; raises NoDatabase rather than create a file."""
    if isinstance(url, SqliteUrl) and not url.path.exists():
        raise NoDatabase(f"{url}: there is no such file: run `lars db init` to create it, or name another with --db")
    return run_with_engine(engine_for(url), work)


def run_with_engine(engine: Engine, work: Work[T]) -> T:
    """As run_with_database, on an engine of the caller's; may be called once in a process, as the reactor may.

    Raises KeyboardInterrupt if a signal ended the reactor first.
    """
    from twisted.internet import reactor as installed  # importing it installs it
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    reactor = cast(IReactor, installed)  # the module stands for an object that it does not declare
    database = Database(engine, reactor)
    outcome: list[T | Failure] = []

    async def working() -> T:
        return await work(database)

    def ended(result: T | Failure) -> None:
        outcome.append(result)
        if reactor.running:
            reactor.stop()

    def close() -> None:
        outcome.append(Failure(KeyboardInterrupt()))  # what counts if nothing came before
        database.close()

    reactor.addSystemEventTrigger("before", "shutdown", close)
    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(working()).addBoth(ended))
    reactor.run()
    first = outcome[0]
    if isinstance(first, Failure):
        first.raiseException()
    return first
