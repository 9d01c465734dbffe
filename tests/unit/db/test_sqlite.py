"""The SQLite engine: its SQL, and the meaning of its errors."""

import sqlite3

from twisted.trial.unittest import SynchronousTestCase

from lars.db.engine import Transaction
from tests.unit.db.memory import empty_database


class SqliteCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.txn: Transaction = empty_database()
        self.engine = self.txn.engine
        self.txn.execute("CREATE TABLE Tally (a INT, b INT, n INT NOT NULL, PRIMARY KEY (a, b))")
        self.txn.execute("CREATE INDEX Tally_n ON Tally (n)")

    def rows(self) -> list[tuple[object, ...]]:
        return self.txn.all("SELECT * FROM Tally ORDER BY a, b")

    def error(self, sql: str) -> sqlite3.Error:
        """What a statement raises."""
        with self.assertRaises(sqlite3.Error) as caught:
            self.txn.execute(sql)
        error: sqlite3.Error = caught.exception
        return error


class StatementTests(SqliteCase):
    def test_upsert_overwrites_on_a_duplicate_key(self) -> None:
        for n in (1, 5):
            self.txn.execute(self.engine.upsert("Tally", ["a", "b"], ["n"]), (7, 7, n))
        self.assertEqual(self.rows(), [(7, 7, 5)])

    def test_upsert_adds_up_on_a_duplicate_key(self) -> None:
        for n in (1, 5):
            self.txn.execute(self.engine.upsert("Tally", ["a", "b"], [], ["n"]), (7, 7, n))
        self.assertEqual(self.rows(), [(7, 7, 6)])

    def test_insert_ignore_keeps_the_row_on_a_duplicate_key(self) -> None:
        changed = [self.txn.execute(self.engine.insert_ignore("Tally", ["a", "b", "n"]), (7, 7, n)) for n in (1, 5)]
        self.assertEqual((changed, self.rows()), ([1, 0], [(7, 7, 1)]))

    def test_delete_some_deletes_no_more_than_its_limit(self) -> None:
        self.txn.execute_many("INSERT INTO Tally VALUES (?, ?, ?)", [(a, 0, a) for a in range(5)])
        delete = self.engine.delete_some("Tally", "n < ?", 2)
        self.assertEqual([self.txn.execute(delete, (3,)) for _ in range(3)], [2, 1, 0])

    def test_columns_and_indexes_are_found(self) -> None:
        self.assertEqual(self.engine.column_names(self.txn, "Tally"), ["a", "b", "n"])
        self.assertEqual(self.engine.column_names(self.txn, "Missing"), [])
        self.assertTrue(self.engine.has_index(self.txn, "Tally", "Tally_n"))
        self.assertFalse(self.engine.has_index(self.txn, "Tally", "Tally_a"))


class ErrorTests(SqliteCase):
    def test_missing_tables_and_columns_are_recognized(self) -> None:
        for sql in ("SELECT * FROM Missing", "SELECT missing FROM Tally", "INSERT INTO Tally (missing) VALUES (1)"):
            self.assertTrue(self.engine.is_missing_table(self.error(sql)), sql)
        self.assertFalse(self.engine.is_missing_table(self.error("SELEC 1")))

    def test_refused_values_are_a_bad_row(self) -> None:
        error = self.error("INSERT INTO Tally VALUES (1, 1, NULL)")
        self.assertTrue(self.engine.is_bad_row(error))
        self.assertFalse(self.engine.is_passing(error))

    def test_locks_and_a_full_disk_may_pass(self) -> None:
        for code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_READ):
            error = sqlite3.OperationalError("message")
            error.sqlite_errorcode = code
            self.assertTrue(self.engine.is_passing(error), code)

    def test_other_errors_do_not_pass(self) -> None:
        for error in (self.error("SELEC 1"), sqlite3.OperationalError("without a code"), KeyError("bug")):
            self.assertFalse(self.engine.is_passing(error))

    def test_reason_is_the_message(self) -> None:
        self.assertEqual(self.engine.reason(self.error("SELECT * FROM Missing")), "no such table: Missing")
