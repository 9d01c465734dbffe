"""Transactions: statements with parameters, rows at once or in lists, and nothing for no rows."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.engine import values_clause
from tests.unit.db.memory import empty_database


class ValuesClauseTests(SynchronousTestCase):
    def test_each_column_has_a_parameter(self) -> None:
        for columns, clause in ((["a"], "(a) VALUES (?)"), (["a", "b"], "(a, b) VALUES (?, ?)")):
            self.assertEqual(values_clause(columns), clause)


class TransactionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.txn = empty_database()
        self.txn.execute("CREATE TABLE Number (n INT)")
        self.txn.execute_many("INSERT INTO Number VALUES (?)", [(n,) for n in range(7)])

    def test_execute_returns_the_number_of_changed_rows(self) -> None:
        self.assertEqual(self.txn.execute("UPDATE Number SET n = 9 WHERE n < ?", (3,)), 3)

    def test_one_is_the_first_row_or_none(self) -> None:
        self.assertEqual(self.txn.one("SELECT n FROM Number WHERE n >= ? ORDER BY n", (5,)), (5,))
        self.assertIsNone(self.txn.one("SELECT n FROM Number WHERE n > 6"))

    def test_all_is_every_row(self) -> None:
        self.assertEqual(self.txn.all("SELECT n FROM Number WHERE n > ? ORDER BY n", (4,)), [(5,), (6,)])

    def test_stream_is_every_row_in_lists_of_at_most_its_size(self) -> None:
        parts = list(self.txn.stream("SELECT n FROM Number WHERE n > ? ORDER BY n", (1,), size=2))
        self.assertEqual(parts, [[(2,), (3,)], [(4,), (5,)], [(6,)]])

    def test_stream_that_is_left_early_lets_the_next_statement_run(self) -> None:
        rows = self.txn.stream("SELECT n FROM Number", size=1)
        next(rows)
        rows.close()  # type: ignore[attr-defined]  # it is a generator
        self.assertEqual(self.txn.execute("DELETE FROM Number"), 7)

    def test_no_rows_are_no_statement(self) -> None:
        self.txn.execute_many("INSERT INTO NoSuchTable VALUES (?)", [])
        self.txn.execute_numbers("INSERT INTO NoSuchTable VALUES (?)", [])

    def test_numbers_are_inserted_like_any_rows(self) -> None:
        self.txn.execute_numbers("INSERT INTO Number (n) VALUES (?)", [(100,), (101,)])
        self.assertEqual(self.txn.one("SELECT COUNT(*), MAX(n) FROM Number"), (9, 101))
