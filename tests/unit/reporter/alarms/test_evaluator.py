"""Rules are evaluated periodically; what is raised and cleared is stored, logged and posted once."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from lars.db.alarms import Alarm, AlarmStore, Claim
from lars.db.engine import DatabaseAway
from lars.db.measurements import CallerSeen, HostCalls, HostStates, Measurements, Subject
from lars.reporter.alarms.evaluator import MISSED, ORPHANS, SLACK, UNHEARD, AlarmEvaluator
from lars.reporter.alarms.rules import DEFAULT_RULES, AlarmRule, Kind
from lars.reporter.alarms.webhook import Webhooks

INTERVAL = 5.0
EPOCH = 1_795_362_600.0
RULE = AlarmRule("ejected", Kind.OVERLOADED_HOST, over=10, share=1, raise_after=10, clear_after=20)
GONE = AlarmRule("gone", Kind.SILENT_CALLER, over=300, raise_after=0, clear_after=0)
HOST = Subject(1, 2, 10, 80)
EJECTED = HostStates(1, 2, 10, 80, 3, 2, 3)
HEALTHY = HostStates(1, 2, 10, 80, 3, 0, 3)
TEXT = "ejected by 2 of 3 callers, for 100 % of the last 10 s"
ABOUT = "host 0.0.0.10:80 of module (1, 2)"


class Store:
    """The table Alarm and the reports that rules look at, in memory. Reads wait for `answer` and raise `fails`.

    With `loses`, the next raise or clear is stored and its answer lost.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.rows: list[Alarm] = []
        self.hosts: list[HostStates] = []
        self.callers: list[CallerSeen] = []
        self.known: set[int] | None = None
        self.gone: set[Subject] = set()
        self.elsewhere: set[str] = set()
        self.orphaned: set[str] = set()
        self.fails: Exception | None = None
        self.loses = False
        self.reads = 0
        self.answer: Deferred[None] | None = None
        self.ttl = 0.0
        self.step = 0.0
        self.released = 0

    async def claim(self, rules: Collection[str], owner: str, ttl: float) -> Claim:
        self.ttl = ttl
        if self.fails:
            raise self.fails
        owned = frozenset(rules) - self.elsewhere
        return Claim(EPOCH + self.clock.seconds() + self.step, owned, owned | self.elsewhere)

    async def release(self, owner: str) -> None:
        self.released += 1

    async def alarms(self) -> list[Alarm]:
        self.reads += 1
        if self.answer is not None:
            await self.answer
        return [row for row in self.rows if not row.cleared_at]

    async def orphans(self, now: float) -> list[Alarm]:
        return [row for row in self.rows if not row.cleared_at and row.rule in self.orphaned]

    async def to_post(self, now: float) -> list[Alarm]:
        return [row for row in self.rows if not row.raise_told or (row.cleared_at and not row.clear_told)]

    async def states(self, now: int) -> list[HostStates]:
        return self.hosts

    async def calls(self, since: int, until: int, per_host: bool) -> list[HostCalls]:
        return [HostCalls(*host[:4], 9, 1) for host in self.hosts]

    async def callers_seen(self, before: int) -> list[CallerSeen]:
        return [caller for caller in self.callers if caller.ts < before]

    async def known_callers(self, callers: Collection[int]) -> set[int]:
        return set(callers) if self.known is None else self.known

    async def unrouted(self, subjects: Collection[Subject]) -> set[Subject]:
        return self.gone.intersection(subjects)

    async def update(self, texts: Mapping[int, str]) -> None:
        for alarm_id, text in texts.items():
            self.rows[alarm_id - 1] = replace(self.rows[alarm_id - 1], text_now=text)

    async def raised(self, alarm: Alarm) -> tuple[Alarm, bool]:
        stored = replace(alarm, id=len(self.rows) + 1, text_now=alarm.text)
        self.rows.append(stored)
        self._lose()
        return stored, True

    async def cleared(self, alarm_id: int, now: int, reason: str) -> tuple[Alarm, bool]:
        row = self.rows[alarm_id - 1]
        self.rows[alarm_id - 1] = row if row.cleared_at else replace(row, cleared_at=now, clear_reason=reason)
        self._lose()
        return self.rows[alarm_id - 1], not row.cleared_at

    def _lose(self) -> None:
        if self.loses:
            self.loses = False
            raise DatabaseAway("db: gone")


class RecordingWebhooks:
    """Records the ids of posted alarms, negative for those that have cleared, and where they go."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.posts: list[int] = []
        self.targets: list[object] = []

    async def post(self, alarm: Alarm, *target: object) -> None:
        self.posts.append(-alarm.id if alarm.cleared_at else alarm.id)
        self.targets.append(target)
        self.store.rows[alarm.id - 1] = replace(alarm, raise_told=1, clear_told=int(alarm.cleared_at > 0))

    async def stop(self) -> None:
        pass


class AlarmEvaluatorTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.store = Store(self.clock)
        self.webhooks = RecordingWebhooks(self.store)
        self.is_storing = True

    def start(self, *rules: AlarmRule) -> AlarmEvaluator:
        evaluator = AlarmEvaluator(
            rules,
            INTERVAL,
            cast(AlarmStore, self.store),
            cast(Measurements, self.store),
            cast(Webhooks, self.webhooks),
            self.clock,
            lambda: self.is_storing,
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
        self.assertEqual(self.run_for(60), [f"alarm 1 raised by rule ejected: {ABOUT}: {TEXT}"])
        self.assertEqual((evaluator.active, self.webhooks.posts), (1, [1]))
        self.store.hosts = [HEALTHY]
        self.assertEqual(self.run_for(60), [f"alarm 1 of rule ejected cleared: {ABOUT}: back to normal for 20 s"])
        self.assertEqual((evaluator.active, self.webhooks.posts), (0, [1, -1]))
        [row] = self.store.rows
        self.assertEqual((row.subject, row.raised_at, row.cleared_at), (HOST, EPOCH + 10, EPOCH + 90))
        self.assertEqual(row.clear_reason, "back to normal for 20 s")

    def test_dead_module_raises_by_the_default_rules_and_posts_nothing(self) -> None:
        self.store.hosts = [EJECTED._replace(overloaded_at=3)]
        self.start(*DEFAULT_RULES)
        self.assertEqual(self.run_for(55), [])
        [line] = self.run_for(60)
        self.assertTrue(line.startswith("alarm 1 raised by rule module-down: module (1, 2): "), line)
        self.assertEqual([row.webhook for row in self.store.rows], [""])

    def test_silence_clears_nothing_until_the_host_is_out_of_its_route(self) -> None:
        self.store.hosts = [EJECTED]
        self.start(RULE)
        self.run_for(20)
        self.store.hosts = []
        self.assertEqual(self.run_for(3600), [])
        self.store.gone = {HOST}
        self.assertEqual(self.run_for(5), [f"alarm 1 of rule ejected cleared: {ABOUT}: it is no longer in the routes"])

    def test_silence_of_a_day_clears(self) -> None:
        self.store.rows = [Alarm(1, "ejected", "overloaded_host", HOST, "", 1, 0, "", 1, 0)]
        self.start(RULE)
        self.assertEqual(self.run_for(UNHEARD - 5), [])
        self.assertEqual(self.run_for(5), [f"alarm 1 of rule ejected cleared: {ABOUT}: nothing was reported for a day"])

    def test_latest_figures_are_stored(self) -> None:
        self.store.hosts = [EJECTED]
        self.start(RULE)
        self.run_for(20)
        self.store.hosts = [EJECTED._replace(overloaded_at=3)]
        self.run_for(5)
        [row] = self.store.rows
        self.assertEqual((row.text, row.text_now), (TEXT, "ejected by 3 of 3 callers, for 100 % of the last 10 s"))

    def test_without_rules_nothing_is_read(self) -> None:
        self.start()
        self.run_for(60)
        self.assertEqual((self.store.reads, self.clock.getDelayedCalls()), (0, []))

    def test_alarm_that_another_reporter_raised_is_neither_logged_nor_raised_again(self) -> None:
        self.store.hosts = [EJECTED]
        evaluator = self.start(RULE)
        self.run_for(5)
        self.store.rows.append(Alarm(1, "ejected", "overloaded_host", HOST, TEXT, 1, 0, "", 1, 0))
        self.assertEqual(self.run_for(60), [])
        self.assertEqual((evaluator.active, len(self.store.rows)), (1, 1))

    def test_rule_that_another_reporter_evaluates_is_left_to_it_until_that_is_gone(self) -> None:
        self.store.hosts = [EJECTED]
        self.store.rows = [Alarm(1, "ejected", "overloaded_host", Subject(9, 9), TEXT, 1, 0, "http://a/", 0, 0)]
        self.store.elsewhere = {"ejected", ORPHANS}
        self.start(RULE)
        self.assertEqual(self.run_for(60), [])
        self.assertEqual((len(self.store.rows), self.webhooks.posts, self.store.ttl), (1, [], MISSED * 5 + SLACK))
        self.store.elsewhere = set()
        self.assertEqual(len(self.run_for(60)), 1)
        self.assertEqual(self.webhooks.posts, [1, 2])

    def test_alarms_whose_rule_no_reporter_has_had_for_long_are_cleared(self) -> None:
        self.store.rows = [
            Alarm(number, rule, what, Subject(1, 1), "", 1, 0, "", 1, 0)
            for number, (rule, what) in enumerate(
                [("old", "no_idle_host"), ("old", "disk_full"), ("theirs", "no_idle_host")], 1
            )
        ]
        self.store.orphaned = {"old"}
        with capturedLogs() as events:
            self.start(RULE)
        self.assertEqual(
            [formatEvent(event) for event in events],
            ["alarm 1 of rule old cleared: module (1, 1): its rule was removed"],
        )
        self.assertEqual([bool(row.cleared_at) for row in self.store.rows], [True, False, False])

    def test_posts_that_are_due_go_where_the_conf_says_now(self) -> None:
        self.store.rows = [
            Alarm(1, "ejected", "overloaded_host", HOST, "", 1, 0, "http://old/", 0, 0),
            Alarm(2, "removed", "overloaded_host", HOST, "", 1, 0, "http://removed/", 0, 0),
            Alarm(3, "theirs", "overloaded_host", HOST, "", 1, 0, "http://theirs/", 0, 0),
            Alarm(4, "self-preservation", "hosts_kept", Subject(1, 1), "", 1, 0, "", 0, 0),
        ]
        self.store.elsewhere = {"theirs"}
        headers = (("X-Team", "shop"),)
        kept = AlarmRule("kept", Kind.HOSTS_KEPT, webhook="http://kept/")
        self.start(replace(RULE, webhook="http://new/", headers=headers), kept)
        self.run_for(60)
        self.assertEqual(self.webhooks.posts, [1, 2, 4])
        self.assertEqual(
            self.webhooks.targets, [("http://new/", headers), ("http://removed/", ()), ("http://kept/", ())]
        )

    def test_raise_and_clear_whose_answers_are_lost_are_logged_and_posted_once(self) -> None:
        self.store.hosts = [EJECTED]
        self.start(RULE)
        self.run_for(5)
        self.store.loses = True
        lost = "db: gone; alarms keep their state, trying again"
        self.assertEqual(
            self.run_for(30),
            [lost, f"alarm 1 raised by rule ejected: {ABOUT}: {TEXT}", "the database answers again"],
        )
        self.store.hosts = [HEALTHY]
        self.run_for(15)
        self.store.loses = True
        self.assertEqual(
            self.run_for(90),
            [
                lost,
                f"alarm 1 of rule ejected cleared: {ABOUT}: back to normal for 20 s",
                "the database answers again",
            ],
        )
        self.assertEqual((self.webhooks.posts, len(self.store.rows)), ([1, -1], 1))

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
        self.start(GONE)
        self.run_for(200)
        self.store.fails = DatabaseAway("db: gone")
        self.assertEqual(self.run_for(5), ["db: gone; alarms keep their state, trying again"])
        self.run_for(195)
        self.store.fails = None
        self.assertEqual(self.run_for(290), ["the database answers again"])
        self.assertEqual(len(self.run_for(30)), 1)

    def test_caller_is_not_silent_while_reports_cannot_be_written(self) -> None:
        self.store.callers = [CallerSeen(9, int(EPOCH))]
        self.start(GONE)
        self.run_for(200)
        self.is_storing = False
        self.run_for(300)
        self.is_storing = True
        self.assertEqual(self.run_for(290), [])
        self.assertEqual(len(self.run_for(30)), 1)

    def test_neither_a_restart_nor_a_fault_clears_the_alarm_of_a_silent_caller(self) -> None:
        self.store.callers = [CallerSeen(9, int(EPOCH) - 1000)]
        self.store.rows = [Alarm(1, "gone", "silent_caller", Subject(caller=9), "", 1, 0, "", 1, 0)]
        self.start(GONE)
        self.assertEqual(self.run_for(400), [])
        self.store.fails = DatabaseAway("db: gone")
        self.run_for(5)
        self.store.fails = None
        self.assertEqual(self.run_for(400), ["the database answers again"])
        self.store.callers = []
        [line] = self.run_for(5)
        self.assertIn("back to normal", line)

    def test_caller_is_not_silent_because_the_databases_clock_was_set_forward(self) -> None:
        self.start(GONE)
        self.run_for(400)
        self.store.callers = [CallerSeen(9, int(EPOCH) + 400)]
        self.store.step = 3600.0
        self.assertEqual(self.run_for(295), [])
        self.assertEqual(len(self.run_for(30)), 1)

    def test_caller_that_is_forgotten_is_not_back_to_normal(self) -> None:
        self.store.rows = [Alarm(1, "gone", "silent_caller", Subject(caller=9), "", 1, 0, "", 1, 0)]
        self.store.known = set()
        with capturedLogs() as events:
            self.start(GONE)
        [line] = [formatEvent(event) or "" for event in events]
        self.assertTrue(line.endswith("caller 0.0.0.9: the caller is forgotten"), line)

    def test_bug_is_logged_and_evaluations_go_on(self) -> None:
        self.start(RULE)
        self.store.fails = ZeroDivisionError("oops")
        self.run_for(10)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        reads, self.store.fails = self.store.reads, None
        self.run_for(10)
        self.assertEqual(self.store.reads, reads + 2)

    def test_stop_waits_for_the_evaluation_under_way_and_leaves_the_rules_to_others(self) -> None:
        self.store.answer = Deferred()
        evaluator = self.start(RULE)
        stopping = Deferred.fromCoroutine(evaluator.stop())
        self.assertNoResult(stopping)
        self.store.answer.errback(DatabaseAway("the database is closed"))
        self.successResultOf(stopping)
        self.assertEqual((self.clock.getDelayedCalls(), self.store.released), ([], 1))
