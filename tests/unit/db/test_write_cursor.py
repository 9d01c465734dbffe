"""A write takes effect once, whichever of its runs is committed."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.engine import Transaction
from lars.db.write_cursor import WriteCursor, one_at_a_time_txn
from tests.unit.db.memory import database, empty_database


class WriteCursorTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.txn = database()
        self.cursor = WriteCursor()
        self.runs = 0

    def work(self, _txn: Transaction) -> str:
        self.runs += 1
        return f"result {self.runs}"

    def run_once(self, *, is_committed: bool) -> str:
        """Runs the write; a run that is not committed leaves nothing behind."""
        self.txn.execute("SAVEPOINT run")
        result = self.cursor.run(self.txn, self.work)
        if not is_committed:
            self.txn.execute("ROLLBACK TO SAVEPOINT run")
        return result

    def test_run_after_a_committed_one_does_nothing_and_has_its_result(self) -> None:
        self.run_once(is_committed=True)
        self.cursor.is_unknown = True
        self.assertEqual([self.run_once(is_committed=True) for _ in range(2)], ["result 1", "result 1"])
        self.assertEqual(self.runs, 1)

    def test_run_after_a_lost_one_works(self) -> None:
        self.run_once(is_committed=False)
        self.cursor.is_unknown = True
        self.assertEqual(self.run_once(is_committed=True), "result 2")
        self.assertEqual(self.run_once(is_committed=True), "result 2")

    def test_result_is_that_of_the_run_that_is_committed_though_a_later_one_was_lost(self) -> None:
        self.run_once(is_committed=True)
        self.run_once(is_committed=False)
        self.cursor.is_unknown = True
        self.assertEqual(self.run_once(is_committed=True), "result 1")

    def test_write_before_does_not_count_for_the_next(self) -> None:
        self.run_once(is_committed=True)
        self.cursor.begin()
        self.run_once(is_committed=False)
        self.cursor.is_unknown = True
        self.assertEqual(self.run_once(is_committed=True), "result 3")

    def test_write_works_before_the_table_is_there(self) -> None:
        self.assertEqual(self.cursor.run(empty_database(), self.work), "result 1")


class OneAtATimeTests(SynchronousTestCase):
    def test_each_transaction_changes_the_same_row(self) -> None:
        txn = database()
        for _ in range(3):
            one_at_a_time_txn(txn)
        self.assertEqual(txn.all("SELECT id, seq FROM WriteCursor"), [(0, 3)])
