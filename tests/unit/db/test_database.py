"""The database of a URL, and one that is closed. With threads and servers: tests/integration/db."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pymysql
from pymysql.constants import CR, ER
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from lars.db.database import RERUNS, Database, _Pool, engine_for
from lars.db.engine import DatabaseAway, Transaction
from lars.db.mysql import MysqlEngine
from lars.db.sqlite import SqliteEngine
from lars.db.url import MysqlUrl, Server, SqliteUrl
from lars.db.write_cursor import WriteCursor
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

    def test_patient_write_is_not_tried_again(self) -> None:
        self.failureResultOf(Deferred.fromCoroutine(self.database.write_again("store", self.look)), DatabaseAway)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_closing_again_does_nothing(self) -> None:
        self.database.close()


class AwayDatabase(Database):
    """A database that is away."""

    async def _run(self, begin: str, name: str, function: Any, cursor: WriteCursor | None = None) -> Any:
        raise DatabaseAway(name)


class RetryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.database = AwayDatabase(engine_for(SqliteUrl(Path("/nowhere/lars.db"))), cast(IReactor, self.reactor))
        self.writing = Deferred.fromCoroutine(self.database.write_again("store", lambda _txn: None))

    def test_patient_write_is_tried_four_times(self) -> None:
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


class FlakyConnection:
    """A connection, and its cursor, on which the next things to do, in turn, fail with an error or with none."""

    rowcount = 1

    def __init__(self, errors: list[Exception | None]) -> None:
        self._errors = errors

    def cursor(self) -> "FlakyConnection":
        return self

    def execute(self, _sql: str, _parameters: Sequence[Any] = ()) -> None:
        if self._errors and (error := self._errors.pop(0)):
            raise error

    def commit(self) -> None:
        self.execute("COMMIT")

    def rollback(self) -> None:
        pass

    def close(self) -> None:
        pass


class FlakyEngine(MysqlEngine):
    """A MySQL engine whose connections fail as a test says: what begins, writes and commits, in turn."""

    def __init__(self, *errors: Exception | None, others: tuple[Server, ...]) -> None:
        super().__init__(MysqlUrl("db", 3306, "ann", "", "lars", others=others))
        self.errors_left = list(errors)
        self.connections = 0

    def connect(self) -> Any:
        self.connections += 1
        return FlakyConnection(self.errors_left)

    def begin(self, cursor: Any, statement: str) -> None:
        cursor.execute(statement)


class RerunTests(SynchronousTestCase):
    """Transactions that the server has undone run again, in the same thread."""

    def outcome(self, *errors: Exception | None, others: tuple[Server, ...] = ()) -> tuple[Any, int]:
        """What comes of a transaction of one statement, and how often that ran."""
        engine = FlakyEngine(*errors, others=others)
        pool = _Pool(engine, cast(IReactor, MemoryReactorClock()), 1)
        runs = []

        def count(txn: Transaction) -> int:
            runs.append(1)
            txn.execute("UPDATE")
            return len(runs)

        try:
            return pool.run(engine.begin_write, count, None), len(runs)
        except pymysql.MySQLError as error:
            return error, len(runs)

    def test_deadlock_is_run_again_wherever_it_is_found(self) -> None:
        self.assertEqual(self.outcome(None, DEADLOCK), (2, 2))
        self.assertEqual(self.outcome(None, None, DEADLOCK), (2, 2))

    def test_deadlocks_without_end_are_given_up(self) -> None:
        self.assertEqual(self.outcome(*[None, DEADLOCK] * 20), (DEADLOCK, len(RERUNS) + 1))

    def test_connection_lost_before_the_commit_is_run_again_and_at_it_not(self) -> None:
        self.assertEqual(self.outcome(None, LOST), (2, 2))
        self.assertEqual(self.outcome(None, None, LOST), (LOST, 1))

    def test_row_that_another_transaction_has_made_meanwhile_is_seen_by_the_next_run(self) -> None:
        made = pymysql.err.IntegrityError(ER.DUP_ENTRY, "message")
        self.assertEqual(self.outcome(None, made), (2, 2))

    def test_refusal_before_anything_is_done_is_run_again(self) -> None:
        self.assertEqual(self.outcome(None, NOT_PRIMARY), (2, 2))

    def test_transaction_that_a_server_refuses_to_begin_begins_on_another(self) -> None:
        self.assertEqual(self.outcome(NOT_PRIMARY, others=(Server("db2"),)), (1, 1))
        self.assertEqual(self.outcome(NOT_PRIMARY), (NOT_PRIMARY, 0))

    def test_other_errors_are_not_run_again(self) -> None:
        mistake = pymysql.err.ProgrammingError(ER.PARSE_ERROR, "message")
        self.assertEqual(self.outcome(None, mistake), (mistake, 1))


DEADLOCK = pymysql.err.OperationalError(ER.LOCK_DEADLOCK, "message")
LOST = pymysql.err.OperationalError(CR.CR_SERVER_LOST, "message")
NOT_PRIMARY = pymysql.err.OperationalError(ER.UNKNOWN_COM_ERROR, "message")
