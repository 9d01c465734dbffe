"""Rows of reports: in the order of their keys, summed up, clamped; each report counted once."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.engine import Transaction
from lars.db.report_rows import Group, Rows, pack_host
from lars.db.report_writes import MAX_HISTORY_COUNT, MAX_STATUS_COUNT, commit_txn, history_rows, status_rows
from lars.route import ModuleId
from tests.unit.db.memory import database

PAY, MAIL = ModuleId(1, 1), ModuleId(1, 2)
A, B = pack_host(10, 80), pack_host(11, 80)


def group(rows: Rows, caller: int = 7, boot: int = 1, first: int = 1, last: int = 1) -> Group:
    return Group(caller, boot, first, last, rows)


class StatusRowsTests(SynchronousTestCase):
    def test_rows_are_in_the_order_of_the_key(self) -> None:
        late = group(Rows(status={MAIL: {A: (1, 0, 5, False)}, PAY: {B: (2, 0, 5, False), A: (3, 1, 5, True)}}))
        early = group(Rows(status={PAY: {A: (4, 0, 6, False)}}), caller=3)
        self.assertEqual(
            list(status_rows([late, early])),
            [
                (1, 1, 10, 80, 3, 4, 0, 6, False),
                (1, 1, 10, 80, 7, 3, 1, 5, True),
                (1, 1, 11, 80, 7, 2, 0, 5, False),
                (1, 2, 10, 80, 7, 1, 0, 5, False),
            ],
        )

    def test_later_group_replaces_the_earlier_one(self) -> None:
        groups = [group(Rows(status={PAY: {A: (n, 0, n, False)}})) for n in (9, 2)]
        self.assertEqual(list(status_rows(groups)), [(1, 1, 10, 80, 7, 2, 0, 2, False)])

    def test_counts_are_clamped(self) -> None:
        [row] = status_rows([group(Rows(status={PAY: {A: (2**31, 2**40, 5, False)}}))])
        self.assertEqual(row[5:7], (MAX_STATUS_COUNT, MAX_STATUS_COUNT))

    def test_addresses_of_the_upper_half_are_kept(self) -> None:
        high = pack_host(2**32 - 1, 65535)
        [row] = status_rows([group(Rows(status={PAY: {high: (1, 0, 5, False)}}), caller=2**32 - 2)])
        self.assertEqual(row[2:5], (2**32 - 1, 65535, 2**32 - 2))


class HistoryRowsTests(SynchronousTestCase):
    def test_groups_are_summed_in_the_order_of_the_key(self) -> None:
        one = group(Rows(calls={(120, 1, 1): {A: [1, 2]}, (60, 1, 1): {B: [3, 0], A: [5, 1]}}))
        other = group(Rows(calls={(60, 1, 1): {A: [10, 10]}}), caller=3)
        self.assertEqual(
            list(history_rows([one, other])),
            [(60, 1, 1, 10, 80, 15, 11, 0), (60, 1, 1, 11, 80, 3, 0, 0), (120, 1, 1, 10, 80, 1, 2, 0)],
        )

    def test_derived_calls_count_as_approximate_too(self) -> None:
        rows = Rows(calls={(60, 1, 1): {A: [1, 2]}}, derived={(60, 1, 1): {A: [10, 20]}})
        self.assertEqual(list(history_rows([group(rows)])), [(60, 1, 1, 10, 80, 11, 22, 30)])

    def test_counts_are_clamped(self) -> None:
        [row] = history_rows([group(Rows(derived={(60, 1, 1): {A: [2**63, 2**64]}}))])
        self.assertEqual(row[5:], (MAX_HISTORY_COUNT,) * 3)

    def test_groups_are_not_changed(self) -> None:
        one, other = (group(Rows(calls={(60, 1, 1): {A: [1, 1]}})) for _ in range(2))
        list(history_rows([one, other]))
        self.assertEqual(one.rows.calls, {(60, 1, 1): {A: [1, 1]}})


class CommitTests(SynchronousTestCase):
    """On both engines and with other reporters: tests/integration/db/test_report_writes.py."""

    def setUp(self) -> None:
        self.txn: Transaction = database()

    def calls(self) -> int:
        return int((self.txn.one("SELECT SUM(succ_cnt) FROM ServerCallHistory") or (0,))[0] or 0)

    def reported(self, first: int, last: int, boot: int = 1) -> Group:
        return group(Rows(calls={(60, 1, 1): {A: [1, 0]}}), boot=boot, first=first, last=last)

    def test_report_counts_once(self) -> None:
        for _ in range(2):
            done = commit_txn(self.txn, [self.reported(1, 3)], [(7, 1)], 100.0)
            self.assertEqual((done.cursors, self.calls()), ({(7, 1): 3}, 1))

    def test_boot_of_the_upper_half_is_kept(self) -> None:
        boot = 2**64 - 1
        done = commit_txn(self.txn, [self.reported(1, 3, boot)], [(7, boot)], 100.0)
        self.assertEqual(commit_txn(self.txn, [self.reported(2, 3, boot)], [], 101.0).cursors, done.cursors)

    def test_group_that_was_committed_in_part_is_overtaken_with_all_after_it(self) -> None:
        commit_txn(self.txn, [self.reported(1, 3)], [(7, 1)], 100.0)
        done = commit_txn(self.txn, [self.reported(3, 5), self.reported(6, 7)], [], 101.0)
        self.assertEqual((done.overtaken, done.cursors, self.calls()), ({(7, 1)}, {(7, 1): 3}, 1))
