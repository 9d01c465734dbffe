"""When rows of RouteChange are deleted: a week old by their version, and seen here for an hour."""

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from lars.db.database import Database
from lars.db.engine import DatabaseAway
from lars.db.route_reads import prune_changes_txn
from lars.dns.pruning import OBSERVED, ChangePruner

WEEK = 604_800.0
NOW = 1_795_000_000.7


class Asked:
    """A database that remembers what it was asked to delete, and answers with what it is given."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.answers: list[int | Exception] = []

    async def write(self, _name: str, function: Any, up_to: int, before: int) -> int:
        assert function is prune_changes_txn
        self.asked.append((up_to, before))
        answer = self.answers.pop(0) if self.answers else 0
        if isinstance(answer, Exception):
            raise answer
        return answer


class ChangePrunerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.database = Asked()
        self.clock = Clock()
        self.newest = 0
        self.pruner = ChangePruner(
            cast(Database, self.database), WEEK, lambda: self.newest, self.clock, lambda: NOW + self.clock.seconds()
        )

    def prune(self, newest: int, later: float = 0) -> "Deferred[None]":
        """One call of the timer, `later` than the last one, when `newest` is the newest row."""
        self.clock.advance(later)
        self.newest = newest
        return Deferred.fromCoroutine(self.pruner.prune())

    def test_nothing_is_deleted_in_the_first_hour(self) -> None:
        for _ in range(6):
            self.successResultOf(self.prune(5, later=OBSERVED / 6 - 1))
        self.assertEqual(self.database.asked, [])

    def test_after_an_hour_what_was_there_at_its_start_is_deleted_if_a_week_old(self) -> None:
        self.successResultOf(self.prune(5))
        self.successResultOf(self.prune(9, later=OBSERVED))
        self.assertEqual(self.database.asked, [(5, int(NOW + OBSERVED - WEEK))])

    def test_what_was_seen_for_an_hour_follows_ten_minutes_by_ten_minutes(self) -> None:
        for newest in range(1, 10):
            self.successResultOf(self.prune(newest, later=600))
        self.assertEqual([up_to for up_to, _before in self.database.asked], [1, 2, 3])

    def test_timer_that_was_late_forgets_nothing(self) -> None:
        self.successResultOf(self.prune(5))
        self.successResultOf(self.prune(6, later=10 * OBSERVED))
        self.successResultOf(self.prune(6, later=1))
        self.assertEqual([up_to for up_to, _before in self.database.asked], [5, 5])

    def test_no_rows_are_no_work(self) -> None:
        self.successResultOf(self.prune(0))
        self.successResultOf(self.prune(0, later=OBSERVED))
        self.assertEqual(self.database.asked, [])

    def test_many_rows_are_deleted_with_pauses_for_others_until_none_is_left(self) -> None:
        self.database.answers = [1000, 1000, 3, 0]
        self.prune(5)
        pruning = self.prune(5, later=OBSERVED)
        for asked in (1, 2, 3):
            self.assertEqual(len(self.database.asked), asked)
            self.assertNoResult(pruning)
            self.clock.advance(0.1)
        self.successResultOf(pruning)
        self.assertEqual(len(self.database.asked), 4)

    def test_database_away_is_a_line_and_tried_again_next_time(self) -> None:
        self.database.answers = [DatabaseAway("db: prune RouteChange: refused")]
        self.prune(5)
        with capturedLogs() as events:
            self.successResultOf(self.prune(5, later=OBSERVED))
        [line] = [event["log_format"].format(**event) for event in events]
        self.assertEqual(line, "RouteChange is not pruned now: db: prune RouteChange: refused")
        self.successResultOf(self.prune(5, later=600))
        self.assertEqual(len(self.database.asked), 2)

    def test_a_bug_is_left_to_the_timer_which_logs_it_and_goes_on(self) -> None:
        self.database.answers = [ZeroDivisionError()]
        self.successResultOf(self.prune(5))
        self.failureResultOf(self.prune(5, later=OBSERVED), ZeroDivisionError)
