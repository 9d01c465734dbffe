"""Old keys are deleted in lists of a limited length."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.engine import Row
from lars.db.report_pruning import AGED, DELETED_AT_ONCE, INDEXED, lots
from tests.unit.db.memory import database


class LotsTests(SynchronousTestCase):
    def test_every_key_is_in_one_list_of_limited_length(self) -> None:
        for count, lengths in (
            (0, []),
            (1, [1]),
            (DELETED_AT_ONCE, [DELETED_AT_ONCE]),
            (2 * DELETED_AT_ONCE + 1, [DELETED_AT_ONCE, DELETED_AT_ONCE, 1]),
        ):
            keys: list[Row] = [(n,) for n in range(count)]
            parts = list(lots(keys))
            self.assertEqual([len(part) for part in parts], lengths)
            self.assertEqual([key for part in parts for key in part], keys)


class TablesTests(SynchronousTestCase):
    def test_tables_and_keys_are_those_of_the_schema(self) -> None:
        txn = database()
        for aged in AGED:
            self.assertLessEqual({*aged.key, "ts"}, set(txn.engine.column_names(txn, aged.table)))
        for table, condition in INDEXED.items():
            [(*_, plan)] = txn.all(f"EXPLAIN QUERY PLAN SELECT 1 FROM {table} WHERE {condition}", (1,))
            self.assertIn("USING", plan)
            self.assertIn("INDEX", plan)
