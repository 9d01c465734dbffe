"""Old rows are deleted periodically, in small transactions with pauses between them."""

from collections import Counter
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from lars.db.engine import DatabaseAway, Row
from lars.db.report_pruning import DELETED_AT_ONCE, FOUND_AT_ONCE, Aged, ReportPruning
from lars.reporter.pruning import INTERVAL, PAUSE, ReportPruner

NOW = 1_795_362_600.5
AGE = 600.0
BEFORE = 1_795_362_000


class OldRows:
    """A database with so many old rows in each table. `transactions` are the (table, rows) deleted together."""

    def __init__(self, **counts: int) -> None:
        self.left = Counter(counts)
        self.transactions: list[tuple[str, int]] = []
        self.befores: set[int] = set()
        self.fails: Exception | None = None

    async def indexed(self, table: str, before: int) -> int:
        deleted = min(self.left[table], DELETED_AT_ONCE)
        return self._delete(table, deleted, before)

    async def find(self, aged: Aged, before: int) -> list[Row]:
        return [(n,) for n in range(min(self.left[aged.table], FOUND_AT_ONCE))]

    async def delete(self, aged: Aged, keys: list[Row], before: int) -> None:
        self._delete(aged.table, len(keys), before)

    def _delete(self, table: str, count: int, before: int) -> int:
        if self.fails:
            raise self.fails
        self.left[table] -= count
        self.befores.add(before)
        if count:
            self.transactions.append((table, count))
        return count


class ReportPrunerTests(SynchronousTestCase):
    def start(self, rows: OldRows) -> tuple[ReportPruner, Clock]:
        clock = Clock()
        pruner = ReportPruner(cast(ReportPruning, rows), AGE, clock, lambda: NOW + clock.seconds())
        pruner.start()
        return pruner, clock

    def test_all_old_rows_are_deleted_in_small_transactions(self) -> None:
        rows = OldRows(ServerCallHistory=2 * DELETED_AT_ONCE + 1, CallerSeen=FOUND_AT_ONCE + 1, Alarm=3)
        pruner, clock = self.start(rows)
        clock.pump([PAUSE] * 40)
        self.assertEqual(+rows.left, Counter())
        self.assertLessEqual(max(count for _, count in rows.transactions), DELETED_AT_ONCE)
        self.assertEqual(rows.befores, {BEFORE})
        deleted = {table: count for table, count in pruner.pruned.items() if count}
        self.assertEqual(deleted, {"ServerCallHistory": 1001, "CallerSeen": 5001, "Alarm": 3})

    def test_writers_get_a_pause_between_two_transactions(self) -> None:
        rows = OldRows(ServerCallHistory=3 * DELETED_AT_ONCE)
        _pruner, clock = self.start(rows)
        for count in (1, 2, 3):
            self.assertEqual(len(rows.transactions), count)
            clock.advance(PAUSE)

    def test_database_fault_ends_a_pruning_and_the_next_one_continues(self) -> None:
        rows = OldRows(Alarm=3)
        rows.fails = DatabaseAway("db: gone")
        with capturedLogs() as events:
            pruner, clock = self.start(rows)
        self.assertEqual(
            [formatEvent(event) for event in events], ["cannot delete old reports: db: gone; trying again later"]
        )
        rows.fails = None
        clock.advance(INTERVAL)
        self.assertEqual(pruner.pruned["Alarm"], 3)

    def test_stop_ends_a_pruning_after_the_transaction_under_way(self) -> None:
        rows = OldRows(ServerCallHistory=9 * DELETED_AT_ONCE)
        pruner, clock = self.start(rows)
        stopping = Deferred.fromCoroutine(pruner.stop())
        self.assertNoResult(stopping)
        clock.advance(PAUSE)
        self.successResultOf(stopping)
        self.assertEqual((len(rows.transactions), clock.getDelayedCalls()), (1, []))
