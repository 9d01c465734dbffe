"""A writer writes batches at each flush or when they are full, in order, and retries each until it is committed."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from lars.db.engine import DatabaseAway
from lars.db.faults import DatabaseFaults
from lars.db.report_rows import Group, Run, Seen
from lars.db.report_writes import Committed
from lars.reporter.agent_run import AgentRun
from lars.reporter.writer import MAX_ROWS, Batch, ReportWriter


class Database:
    """Commits when a test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[Group], Deferred[Committed]]] = []
        self.new: list[set[Run]] = []

    async def commit(
        self, groups: Sequence[Group], new: Iterable[Run], now: float, seen: Sequence[Seen] = ()
    ) -> Committed:
        answer: Deferred[Committed] = Deferred()
        self.asked.append((list(groups), answer))
        self.new.append(set(new))
        return await answer

    def answers(self) -> list[tuple[int, int]]:
        """The commit under way succeeds; (first, last) of its groups."""
        groups, answer = self.asked[-1]
        answer.callback(Committed({group.run: group.last for group in groups}))
        return [(group.first, group.last) for group in groups]

    def fails(self) -> None:
        self.asked[-1][1].errback(DatabaseAway("db: gone"))


class ReportWriterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.database = Database()
        self.batches: list[Batch] = []
        faults = DatabaseFaults(self.clock, 0.1, lambda: "waiting")
        self.writer = ReportWriter(cast(Any, self.database), self.clock, 100, faults, lambda: 0.0, self.batches.append)
        self.agent = AgentRun(9, 7, cursor=0)

    def report(self, seq: int, rows: int = 10, run: AgentRun | None = None) -> None:
        run = run or self.agent
        run.group_for(seq)
        run.rows += rows
        self.writer.add(run, rows)

    def test_small_batch_waits_for_the_flush_and_full_one_is_written_at_once(self) -> None:
        self.report(1)
        self.assertEqual(self.database.asked, [])
        self.writer.flush()
        self.assertEqual(self.database.answers(), [(1, 1)])
        self.report(2, rows=100)
        self.assertEqual(self.database.answers(), [(2, 2)])
        self.assertEqual([batch.released for batch in self.batches], [10, 100])

    def test_reports_that_arrive_during_a_commit_are_added_up_for_the_next(self) -> None:
        self.report(1)
        self.writer.flush()
        for seq in (2, 3, 4):
            self.report(seq)
        self.writer.flush()
        self.assertEqual(len(self.database.asked), 1)
        self.database.answers()
        self.writer.flush()
        self.assertEqual(self.database.answers(), [(2, 4)])

    def test_failed_batch_is_retried_unchanged_with_backoff(self) -> None:
        self.report(1)
        self.writer.flush()
        self.report(2)
        with capturedLogs() as events:
            for _ in range(4):
                self.database.fails()
                self.clock.pump([0.05] * 40)
        self.assertEqual(len([event for event in events if "; waiting, " in (formatEvent(event) or "")]), 1)
        self.assertEqual([groups for groups, _ in self.database.asked], [self.database.asked[0][0]] * 5)
        self.assertEqual(self.database.answers(), [(1, 1)])
        self.writer.flush()
        self.assertEqual(self.database.answers(), [(2, 2)])

    def test_bug_is_logged_once_and_loses_no_report(self) -> None:
        self.report(1)
        self.writer.flush()
        for _ in range(3):
            self.database.asked[-1][1].errback(ZeroDivisionError("oops"))
            self.clock.pump([0.05] * 20)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.database.answers(), [(1, 1)])

    def test_only_runs_without_a_known_cursor_are_new(self) -> None:
        self.report(1, rows=100)
        self.database.answers()
        self.report(2, rows=100)
        self.assertEqual(self.database.new, [{(9, 7)}, set()])
        self.database.answers()

    def test_transactions_are_bounded(self) -> None:
        runs = [AgentRun(caller, 7, cursor=0) for caller in range(1, 5)]
        self.report(1)
        self.writer.flush()
        for run in runs:
            self.report(1, rows=MAX_ROWS // 2, run=run)
        sizes: list[int] = []
        while len(self.database.asked) > len(sizes):
            sizes.append(len(self.database.answers()))
        self.assertEqual(sizes, [1, 2, 2])

    def test_overtaken_run_starts_over_and_others_are_written(self) -> None:
        other = AgentRun(8, 7, cursor=0)
        self.report(1)
        self.report(1, run=other)
        self.writer.flush()
        self.report(2)
        self.report(2, run=other)
        _groups, answer = self.database.asked[-1]
        answer.callback(Committed({self.agent.key: 1, other.key: 1}, {self.agent.key}))
        self.assertEqual((self.agent.rows, self.batches[0].released), (0, 30))
        self.writer.flush()
        self.assertEqual([group.run for group in self.database.asked[-1][0]], [other.key])
        self.database.answers()

    def test_drain_ends_when_everything_is_written(self) -> None:
        self.report(1)
        draining = Deferred.fromCoroutine(self.writer.drain(3.0))
        self.database.answers()
        self.clock.advance(0.02)
        self.successResultOf(draining)

    def test_drain_ends_at_its_deadline_and_nothing_is_written_later(self) -> None:
        self.report(1)
        draining = Deferred.fromCoroutine(self.writer.drain(3.0))
        self.clock.pump([0.1] * 31)
        self.successResultOf(draining)
        self.database.fails()
        self.clock.pump([0.1] * 31)
        self.assertEqual((len(self.database.asked), self.agent.committed), (1, 0))
        self.successResultOf(Deferred.fromCoroutine(self.writer.ended()))
