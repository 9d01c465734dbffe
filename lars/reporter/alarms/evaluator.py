"""Evaluates the alarm rules periodically; stores, logs and posts the alarms that are raised and cleared.

See docs/design/reporter.md, alarms.
"""

from collections.abc import Awaitable, Callable, Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from lars.db.alarms import Alarm, AlarmStore, Subject
from lars.db.engine import DatabaseError
from lars.db.faults import DatabaseFaults
from lars.reporter.alarms.evaluate import (
    Violations,
    describe,
    ejected_hosts,
    high_error_rates,
    modules_without_healthy_host,
    silent_callers,
)
from lars.reporter.alarms.rules import AlarmRule, Kind
from lars.reporter.alarms.state import AlarmState, Due
from lars.reporter.alarms.webhook import Webhooks
from lars.runtime.periodic import Periodic

_log = Logger()

MAX_TIME_SHARE = 0.1
"""The largest share of the time that evaluations take, 0 to 1: on large tables they run less often."""

_KINDS = frozenset(kind.value for kind in Kind)
"""The kinds of alarms that lars-reporter raises and clears; other services keep theirs in the same table."""


class AlarmEvaluator:
    """The alarms of one reporter. Without rules it does nothing.

    Args:
        rules: each with a name of its own.
        interval: seconds between the starts of two evaluations.
        store: the alarms, and the reports that the rules look at.
        webhooks: where alarms are posted; this object stops them.
        clock: the reactor, or a Clock in tests.
        wall_clock: returns Unix seconds.
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
        self._state = AlarmState()
        self._unconfirmed: set[object] = set()  # writes that may have been committed although they failed here
        self._listening_since = 0.0
        self._next_at = 0.0
        self._is_first = True
        self._stopped = False
        self.faults = DatabaseFaults(clock, interval, lambda: "alarms keep their state")
        self._evaluations = Periodic("evaluation of alarms", interval, self.evaluate, clock)

    @property
    def active(self) -> int:
        """The number of active alarms."""
        return len(self._state)

    def start(self) -> None:
        """Starts the evaluations, the first one now, if there are rules."""
        if self._rules:
            self._listening_since = self._wall_clock()
            self._evaluations.start(now=True)

    async def evaluate(self) -> None:
        """Evaluates all rules once, unless it is too early after a slow evaluation or a database fault."""
        began = self._clock.seconds()
        if began < self._next_at or not self.faults.may_try(began):
            return
        try:
            await self._evaluate()
        except DatabaseError as error:
            self._listening_since = self._wall_clock()  # callers may have reported what could not be written
            if not self._stopped:
                self.faults.failed(str(error), self._clock.seconds())
        else:
            self.faults.worked()
            ended = self._clock.seconds()
            self._next_at = ended + (ended - began) * (1 / MAX_TIME_SHARE - 1)

    async def _evaluate(self) -> None:
        self._state.synchronize(alarm for alarm in await self._store.alarms() if alarm.what in _KINDS)
        if self._is_first:
            for alarm in await self._store.to_post():
                self.webhooks.post(alarm)
            for rule_name, subject, alarm_id in self._state.orphans(self._rules):
                await self._clear(rule_name, subject, alarm_id, "its rule was removed")
            self._is_first = False
        for rule in self._rules:
            violations = await self._violations(rule)
            now = self._clock.seconds()
            self._state.update(rule, violations, now)
            for due in self._state.due_to_raise(rule, violations, now):
                await self._raise(rule, due)
            for subject, alarm_id in self._state.due_to_clear(rule, now):
                await self._clear(rule.name, subject, alarm_id, f"back to normal for {rule.clear_after:g} s")

    async def _violations(self, rule: AlarmRule) -> Violations:
        now = self._wall_clock()
        since = int(now - rule.over)
        match rule.kind:
            case Kind.ERR_RATE:
                return high_error_rates(rule, await self._store.calls(since, rule.per_host))
            case Kind.OVERLOADED_HOST:
                return ejected_hosts(rule, await self._store.states(since))
            case Kind.NO_IDLE_HOST:
                return modules_without_healthy_host(rule, await self._store.states(since))
            case Kind.SILENT_CALLER:
                return silent_callers(rule, await self._store.callers_seen(since), self._listening_since, now)

    async def _raise(self, rule: AlarmRule, due: Due) -> None:
        now = int(self._wall_clock())
        alarm = Alarm(0, rule.name, rule.kind, due.subject, due.text, now, 0, rule.webhook, 0, 0)
        stored, is_new = await self._confirmed((rule.name, due.subject), self._store.raised(alarm))
        self._state.mark_raised(rule.name, due.subject, stored.id)
        if is_new:
            _log.warn(
                "alarm {id} raised by rule {rule}: {subject}: {text}",
                id=stored.id,
                rule=rule.name,
                subject=describe(due.subject),
                text=due.text,
            )
            self.webhooks.post(stored)

    async def _clear(self, rule_name: str, subject: Subject, alarm_id: int, reason: str) -> None:
        stored, is_new = await self._confirmed(alarm_id, self._store.cleared(alarm_id, int(self._wall_clock())))
        self._state.mark_cleared(rule_name, subject)
        if is_new:
            _log.info(
                "alarm {id} of rule {rule} cleared: {subject}: {reason}",
                id=alarm_id,
                rule=rule_name,
                subject=describe(subject),
                reason=reason,
            )
            self.webhooks.post(stored)

    async def _confirmed(self, key: object, write: Awaitable[tuple[Alarm, bool]]) -> tuple[Alarm, bool]:
        """The stored row, and whether this reporter changed it: now, or in an earlier try whose answer was lost."""
        tried_before = key in self._unconfirmed
        self._unconfirmed.add(key)
        alarm, is_new = await write
        self._unconfirmed.discard(key)
        return alarm, is_new or tried_before

    async def stop(self) -> None:
        """Stops evaluations and posts; returns when none is under way, so the database must answer or be closed."""
        self._stopped = True
        await self.webhooks.stop()
        await self._evaluations.stop()
