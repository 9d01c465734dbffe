"""Judges by timer what was reported, and stores, logs and posts what raises and clears.

See docs/design/reporter.md, alarms.
"""

from collections.abc import Awaitable, Callable, Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from lars.db.alarms import Alarm, AlarmStore, Subject
from lars.db.engine import DatabaseError
from lars.db.faults import DatabaseFaults
from lars.reporter.alarms.evaluate import (
    Wrong,
    described,
    high_error_rates,
    modules_without_idle_host,
    overloaded_hosts,
    silent_callers,
)
from lars.reporter.alarms.rules import AlarmRule, Kind
from lars.reporter.alarms.state import AlarmState, Due
from lars.reporter.alarms.webhook import Webhooks
from lars.runtime.periodic import Periodic

_log = Logger()

SHARE_OF_TIME = 0.1
"""The share of the time that checks may take of the database: large tables are looked at less often."""


_OURS = frozenset(kind.value for kind in Kind)
"""What rules of ours raise on: other services keep alarms in the same table, and clear them themselves."""


class AlarmEvaluator:
    """The alarms of one reporter, by its rules; without rules it does nothing.

    `wall_clock` gives Unix seconds.
    """

    def __init__(
        self,
        rules: Sequence[AlarmRule],
        interval: float,
        store: AlarmStore,
        webhooks: Webhooks,
        clock: IReactorTime,
        wall_clock: Callable[[], float],
    ) -> None:
        self._rules = rules
        self._store = store
        self.webhooks = webhooks
        self._clock = clock
        self._wall_clock = wall_clock
        self._book = AlarmState()
        self._tried: set[object] = set()  # what we began to store, and may have: the answer can be lost
        self._watched_since = 0.0
        self._next_at = 0.0
        self._is_new = True
        self._stopped = False
        self.faults = DatabaseFaults(clock, interval, lambda: "alarms stand as they did")
        self._checks = Periodic("the check for alarms", interval, self.check, clock)

    @property
    def standing(self) -> int:
        """How many alarms stand."""
        return len(self._book)

    def start(self) -> None:
        """Starts the timer, if there are rules."""
        if self._rules:
            self._watched_since = self._wall_clock()
            self._checks.start(now=True)

    async def check(self) -> None:
        """Looks at everything once; called by timer."""
        began = self._clock.seconds()
        if began < self._next_at or not self.faults.may_try(began):
            return
        try:
            await self._check()
        except DatabaseError as error:
            self._watched_since = self._wall_clock()  # for as long, callers may have been silent for want of an ear
            if not self._stopped:
                self.faults.failed(str(error), self._clock.seconds())
        else:
            self.faults.worked()
            ended = self._clock.seconds()
            self._next_at = ended + (ended - began) * (1 / SHARE_OF_TIME - 1)

    async def _check(self) -> None:
        self._book.synchronize(alarm for alarm in await self._store.alarms() if alarm.what in _OURS)
        if self._is_new:
            for alarm in await self._store.untold():
                self.webhooks.post(alarm)
            for rule_name, subject, alarm_id in self._book.of_no_rule(self._rules):
                await self._clear(rule_name, subject, alarm_id, "its rule is gone")
            self._is_new = False
        for rule in self._rules:
            wrong = await self._wrong(rule)
            now = self._clock.seconds()
            self._book.note(rule, wrong, now)
            for due in self._book.due_to_raise(rule, wrong, now):
                await self._raise(rule, due)
            for subject, alarm_id in self._book.due_to_clear(rule, now):
                await self._clear(rule.name, subject, alarm_id, f"it has been right for {rule.clear_after:g} s")

    async def _wrong(self, rule: AlarmRule) -> Wrong:
        now = self._wall_clock()
        since = int(now - rule.over)
        match rule.kind:
            case Kind.ERR_RATE:
                return high_error_rates(rule, await self._store.calls(since, rule.per_host))
            case Kind.OVERLOADED_HOST:
                return overloaded_hosts(rule, await self._store.states(since))
            case Kind.NO_IDLE_HOST:
                return modules_without_idle_host(rule, await self._store.states(since))
            case Kind.SILENT_CALLER:
                return silent_callers(rule, await self._store.callers_seen(since), self._watched_since, now)

    async def _raise(self, rule: AlarmRule, due: Due) -> None:
        now = int(self._wall_clock())
        alarm = Alarm(0, rule.name, rule.kind, due.subject, due.text, now, 0, rule.webhook, 0, 0)
        stored, is_ours = await self._stored((rule.name, due.subject), self._store.raised(alarm))
        self._book.raised(rule.name, due.subject, stored.id)
        if is_ours:
            _log.warn(
                "alarm {id} raised by rule {rule}: {subject}: {text}",
                id=stored.id,
                rule=rule.name,
                subject=described(due.subject),
                text=due.text,
            )
            self.webhooks.post(stored)

    async def _clear(self, rule_name: str, subject: Subject, alarm_id: int, why: str) -> None:
        stored, is_ours = await self._stored(alarm_id, self._store.cleared(alarm_id, int(self._wall_clock())))
        self._book.cleared(rule_name, subject)
        if is_ours:
            _log.info(
                "alarm {id} of rule {rule} cleared: {subject}: {why}",
                id=alarm_id,
                rule=rule_name,
                subject=described(subject),
                why=why,
            )
            self.webhooks.post(stored)

    async def _stored(self, key: object, storing: Awaitable[tuple[Alarm, bool]]) -> tuple[Alarm, bool]:
        """The row as it is now, and whether this reporter has made it so: now, or when it tried before."""
        tried_before = key in self._tried
        self._tried.add(key)
        alarm, is_new = await storing
        self._tried.discard(key)
        return alarm, is_new or tried_before

    async def stop(self) -> None:
        """Ends it; returns when nothing is under way, for which the database must be closed or answer."""
        self._stopped = True
        await self.webhooks.stop()
        await self._checks.stop()
