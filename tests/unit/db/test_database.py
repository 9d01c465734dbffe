"""The database of a URL, and one that is closed. With threads and servers: tests/integration/db."""

from pathlib import Path
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from lars.db.database import Database, engine_for
from lars.db.engine import DatabaseAway, Transaction
from lars.db.mysql import MysqlEngine
from lars.db.sqlite import SqliteEngine
from lars.db.url import MysqlUrl, SqliteUrl
from lars.runtime.reactor import IReactor


class EngineForTests(SynchronousTestCase):
    def test_each_kind_of_url_has_its_engine(self) -> None:
        self.assertIsInstance(engine_for(SqliteUrl(Path("/lars.db"))), SqliteEngine)
        self.assertIsInstance(engine_for(MysqlUrl("db", 3306, "ann", "", "lars")), MysqlEngine)


class ClosedDatabaseTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        engine = engine_for(SqliteUrl(Path("/nowhere/lars.db")))
        self.database = Database(engine, cast(IReactor, self.reactor))
        self.database.close()

    def look(self, txn: Transaction) -> None:
        self.fail("a closed database runs no query")

    def test_query_fails_as_away_and_names_the_database(self) -> None:
        failure = self.failureResultOf(Deferred.fromCoroutine(self.database.read("look", self.look)), DatabaseAway)
        expected = "sqlite:////nowhere/lars.db: look: the connection is being closed"
        self.assertEqual(failure.getErrorMessage(), expected)

    def test_idempotent_write_is_not_tried_again(self) -> None:
        self.failureResultOf(Deferred.fromCoroutine(self.database.write_again("store", self.look)), DatabaseAway)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_closing_again_does_nothing(self) -> None:
        self.database.close()


class AwayDatabase(Database):
    """A database that is away."""

    async def write(self, name: str, function: Any, *args: Any, **kwargs: Any) -> Any:
        raise DatabaseAway(name)


class RetryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.database = AwayDatabase(engine_for(SqliteUrl(Path("/nowhere/lars.db"))), cast(IReactor, self.reactor))
        self.writing = Deferred.fromCoroutine(self.database.write_again("store", lambda _txn: None))

    def test_idempotent_write_is_tried_four_times(self) -> None:
        retries = 0
        while self.reactor.getDelayedCalls():
            self.assertNoResult(self.writing)
            self.reactor.advance(2)
            retries += 1
        self.assertEqual(retries, 3)
        self.failureResultOf(self.writing, DatabaseAway)

    def test_closing_ends_the_pause_before_the_next_try(self) -> None:
        self.database.close()
        self.reactor.advance(0)
        self.failureResultOf(self.writing, DatabaseAway)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
