"""Rules are evaluated periodically; what is raised and cleared is stored, logged and posted once."""

from dataclasses import replace
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from lars.db.alarms import Alarm, AlarmStore, CallerSeen, HostStates, Subject
from lars.db.engine import DatabaseAway
from lars.reporter.alarms.evaluator import AlarmEvaluator
from lars.reporter.alarms.rules import AlarmRule, Kind
from lars.reporter.alarms.webhook import Webhooks

INTERVAL = 5.0
EPOCH = 1_795_362_600.0
RULE = AlarmRule("ejected", Kind.OVERLOADED_HOST, raise_after=10, clear_after=20)
HOST = Subject(1, 2, 10, 80)
EJECTED = HostStates(1, 2, 10, 80, 3, 2)


class Store:
    """The table Alarm and the reports that rules look at, in memory. Reads wait for `answer` and raise `fails`."""

    def __init__(self) -> None:
        self.rows: list[Alarm] = []
        self.hosts: list[HostStates] = []
        self.callers: list[CallerSeen] = []
        self.fails: Exception | None = None
        self.reads = 0
        self.answer: Deferred[None] | None = None

    async def alarms(self) -> list[Alarm]:
        self.reads += 1
        if self.answer is not None:
            await self.answer
        if self.fails:
            raise self.fails
        return [row for row in self.rows if not row.cleared_at]

    async def to_post(self) -> list[Alarm]:
        return [row for row in self.rows if not row.raise_told]

    async def states(self, since: int) -> list[HostStates]:
        return self.hosts

    async def callers_seen(self, before: int) -> list[CallerSeen]:
        return [caller for caller in self.callers if caller.ts < before]

    async def raised(self, alarm: Alarm) -> tuple[Alarm, bool]:
        stored = replace(alarm, id=len(self.rows) + 1)
        self.rows.append(stored)
        return stored, True

    async def cleared(self, alarm_id: int, now: int) -> tuple[Alarm, bool]:
        row = self.rows[alarm_id - 1]
        self.rows[alarm_id - 1] = row if row.cleared_at else replace(row, cleared_at=now)
        return self.rows[alarm_id - 1], not row.cleared_at


class RecordingWebhooks:
    """Records the ids of posted alarms, negative for those that have cleared."""

    def __init__(self) -> None:
        self.posts: list[int] = []

    def post(self, alarm: Alarm) -> None:
        self.posts.append(-alarm.id if alarm.cleared_at else alarm.id)

    async def stop(self) -> None:
        pass


class AlarmEvaluatorTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.store = Store()
        self.webhooks = RecordingWebhooks()

    def start(self, *rules: AlarmRule) -> AlarmEvaluator:
        evaluator = AlarmEvaluator(
            rules,
            INTERVAL,
            cast(AlarmStore, self.store),
            cast(Webhooks, self.webhooks),
            self.clock,
            lambda: EPOCH + self.clock.seconds(),
        )
        evaluator.start()
        return evaluator

    def run_for(self, seconds: float) -> list[str]:
        """The lines that are logged in so many seconds."""
        with capturedLogs() as events:
            self.clock.pump([INTERVAL] * round(seconds / INTERVAL))
        return [formatEvent(event) or "" for event in events]

    def test_alarm_is_stored_logged_and_posted_once_when_raised_and_when_cleared(self) -> None:
        self.store.hosts = [EJECTED]
        evaluator = self.start(RULE)
        self.assertEqual(self.run_for(5), [])
        host = "host 0.0.0.10:80 of module (1, 2)"
        self.assertEqual(self.run_for(60), [f"alarm 1 raised by rule ejected: {host}: ejected by 2 of 3 callers"])
        self.assertEqual((evaluator.active, self.webhooks.posts), (1, [1]))
        self.store.hosts = []
        self.assertEqual(self.run_for(60), [f"alarm 1 of rule ejected cleared: {host}: back to normal for 20 s"])
        self.assertEqual((evaluator.active, self.webhooks.posts), (0, [1, -1]))
        [row] = self.store.rows
        self.assertEqual((row.subject, row.raised_at, row.cleared_at), (HOST, EPOCH + 10, EPOCH + 90))

    def test_without_rules_nothing_is_read(self) -> None:
        self.start()
        self.run_for(60)
        self.assertEqual((self.store.reads, self.clock.getDelayedCalls()), (0, []))

    def test_alarm_that_another_reporter_raised_is_neither_logged_nor_posted(self) -> None:
        self.store.hosts = [EJECTED]
        evaluator = self.start(RULE)
        self.run_for(5)
        self.store.rows.append(Alarm(1, "ejected", "overloaded_host", HOST, "", 1, 0, "", 1, 0))
        self.assertEqual(self.run_for(60), [])
        self.assertEqual((evaluator.active, self.webhooks.posts), (1, []))

    def test_alarm_without_a_rule_is_cleared_and_those_of_other_services_are_kept(self) -> None:
        self.store.rows = [
            Alarm(number, "old", what, Subject(1, 1), "", 1, 0, "", 1, 0)
            for number, what in ((1, "no_idle_host"), (2, "disk_full"))
        ]
        with capturedLogs() as events:
            self.start(RULE)
        self.assertEqual(
            [formatEvent(event) for event in events],
            ["alarm 1 of rule old cleared: module (1, 1): its rule was removed"],
        )
        self.assertEqual([bool(row.cleared_at) for row in self.store.rows], [True, False])

    def test_posts_left_from_before_a_restart_are_queued_once(self) -> None:
        self.store.rows = [Alarm(1, "ejected", "overloaded_host", HOST, "", 1, 0, "http://a/", 0, 0)]
        self.store.hosts = [EJECTED]
        self.start(RULE)
        self.run_for(60)
        self.assertEqual(self.webhooks.posts, [1])

    def test_evaluations_take_a_tenth_of_the_time_at_most(self) -> None:
        self.store.answer = Deferred()
        self.start(RULE)
        self.clock.advance(10)
        answer, self.store.answer = self.store.answer, None
        answer.callback(None)
        self.run_for(85)
        self.assertEqual(self.store.reads, 1)
        self.run_for(5)
        self.assertEqual(self.store.reads, 2)

    def test_caller_is_not_silent_while_the_database_fails(self) -> None:
        self.store.callers = [CallerSeen(9, int(EPOCH))]
        self.start(AlarmRule("gone", Kind.SILENT_CALLER, over=300, raise_after=0))
        self.run_for(200)
        self.store.fails = DatabaseAway("db: gone")
        self.assertEqual(self.run_for(5), ["db: gone; alarms keep their state, trying again"])
        self.run_for(195)
        self.store.fails = None
        self.assertEqual(self.run_for(290), ["the database answers again"])
        self.assertEqual(len(self.run_for(30)), 1)

    def test_bug_is_logged_and_evaluations_go_on(self) -> None:
        self.start(RULE)
        self.store.fails = ZeroDivisionError("oops")
        self.run_for(10)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        reads, self.store.fails = self.store.reads, None
        self.run_for(10)
        self.assertEqual(self.store.reads, reads + 2)

    def test_stop_waits_for_the_evaluation_under_way(self) -> None:
        self.store.answer = Deferred()
        evaluator = self.start(RULE)
        stopping = Deferred.fromCoroutine(evaluator.stop())
        self.assertNoResult(stopping)
        self.store.answer.errback(DatabaseAway("the database is closed"))
        self.successResultOf(stopping)
        self.assertEqual(self.clock.getDelayedCalls(), [])
