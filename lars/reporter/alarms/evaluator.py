"""Evaluates the alarm rules periodically; stores, logs and posts the alarms that are raised and cleared.

See docs/design/reporter.md, alarms.
"""

import secrets
from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from lars.db.alarms import Alarm, AlarmStore
from lars.db.engine import DatabaseError
from lars.db.faults import DatabaseFaults
from lars.db.measurements import Measurements, Subject
from lars.reporter.alarms.evaluate import (
    Judgment,
    describe,
    ejected_hosts,
    high_error_rates,
    modules_without_healthy_host,
    silent_callers,
)
from lars.reporter.alarms.rules import AlarmRule, Kind
from lars.reporter.alarms.state import AlarmState, Due
from lars.reporter.alarms.webhook import Webhooks
from lars.reporter.alarms.window import EjectionWindow
from lars.runtime.periodic import Periodic

_log = Logger()

MAX_TIME_SHARE = 0.1
"""The largest share of the time that evaluations take, 0 to 1: on large tables they run less often."""

MISSED = 3
"""Evaluations that the reporter of a rule may miss before another takes the rule over."""

SLACK = 2.0
"""Seconds by which it may be late in addition."""

CLOCK_STEP = 5.0
"""Seconds by which the database's clock must move against this machine's monotonic one to have been set."""

UNHEARD = 86_400.0
"""Seconds after which an alarm of which nothing is reported any more is cleared."""

ORPHANS = ""
"""In place of a rule's name: the alarms whose rule no reporter has. One reporter takes care of them."""

_KINDS = frozenset(kind.value for kind in Kind if kind is not Kind.HOSTS_KEPT)
"""The kinds of alarms that lars-reporter raises and clears; lars-web keeps its own in the same table."""


class AlarmEvaluator:
    """The alarms of one reporter. Without rules it does nothing.

    Of several reporters that have a rule, one evaluates it and posts its alarms, until it stops or is late.

    Args:
        rules: each with a name of its own.
        interval: seconds between the starts of two evaluations.
        store: the alarms.
        measurements: what the rules look at.
        webhooks: where alarms are posted; this object stops them.
        clock: the reactor, or a Clock in tests.
        is_storing: whether reports can be written now; while they cannot, no caller counts as silent.
    """

    def __init__(
        self,
        rules: Sequence[AlarmRule],
        interval: float,
        store: AlarmStore,
        measurements: Measurements,
        webhooks: Webhooks,
        clock: IReactorTime,
        is_storing: Callable[[], bool],
    ) -> None:
        self._rules = rules
        self._names = frozenset(rule.name for rule in rules) | {ORPHANS}
        self._store = store
        self._measurements = measurements
        self.webhooks = webhooks
        self._clock = clock
        self._is_storing = is_storing
        self._id = secrets.token_hex(16)
        self._ttl = MISSED * interval + SLACK
        self._state = AlarmState()
        self._windows: dict[str, EjectionWindow] = {}
        self._owned: frozenset[str] = frozenset()
        self._attended: frozenset[str] = frozenset()
        self._texts: dict[int, str] = {}  # by alarm id: the figures that are stored
        # Writes that may have been committed although they failed here: the raises, and why alarms were cleared.
        self._unsure_raises: dict[tuple[str, Subject], str] = {}
        self._unsure_clears: dict[int, tuple[str, Subject, str]] = {}
        self._listening_since = 0.0
        self._next_at = 0.0
        self._duration = 0.0  # of the last evaluation
        self._offset: float | None = None  # of the database's clock, in Unix seconds from the reactor's
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
            self._listening_since = self._clock.seconds()
            self._evaluations.start(now=True)

    async def evaluate(self) -> None:
        """Evaluates the rules that are this reporter's, unless it is too early after a slow evaluation or a fault."""
        began = self._clock.seconds()
        if not self._is_storing():
            self._listening_since = began
        if not self.faults.may_try(began):
            return
        try:
            claim = await self._store.claim(self._names, self._id, self._ttl + MISSED * self._duration)
            self._owned, self._attended = claim.owned, claim.attended
            self._notice_step(claim.now - began)
            if began >= self._next_at:
                await self._evaluate(claim.now - began)
                self._duration = self._clock.seconds() - began
                self._next_at = began + self._duration / MAX_TIME_SHARE
        except DatabaseError as error:
            self._listening_since = self._clock.seconds()  # callers may have reported what could not be written
            if not self._stopped:
                self.faults.failed(str(error), self._clock.seconds())
        else:
            self.faults.worked()

    def _notice_step(self, offset: float) -> None:
        """Lets no caller count as silent because the database's clock was set: its times are from before."""
        if self._offset is None or abs(offset - self._offset) > CLOCK_STEP:
            self._listening_since = self._clock.seconds()
        self._offset = offset

    async def _evaluate(self, offset: float) -> None:
        """Evaluates once; `offset` is that of the database's clock in Unix seconds from the reactor's."""
        self._synchronize([alarm for alarm in await self._store.alarms() if alarm.what in _KINDS])
        if ORPHANS in self._owned:
            for alarm in await self._store.orphans(self._clock.seconds() + offset):
                if alarm.what in _KINDS and alarm.rule not in self._names:
                    await self._clear(alarm.rule, alarm.subject, alarm.id, "its rule was removed", offset)
        for rule in self._rules:
            if rule.kind is Kind.HOSTS_KEPT:
                continue
            if rule.name in self._owned:
                await self._apply(rule, offset)
            else:
                self._windows.pop(rule.name, None)
        await self._post(self._clock.seconds() + offset)

    def _synchronize(self, stored: Sequence[Alarm]) -> None:
        """Takes what the database says, and logs what an earlier try stored there although it failed here."""
        self._state.synchronize(stored)
        self._texts = {alarm.id: alarm.text_now for alarm in stored}
        for alarm in stored:
            if self._unsure_raises.pop((alarm.rule, alarm.subject), None) is not None:
                _log_raise(alarm)
        for alarm_id, (rule, subject, reason) in list(self._unsure_clears.items()):
            if alarm_id not in self._texts:
                del self._unsure_clears[alarm_id]
                _log_clear(alarm_id, rule, describe(subject), reason)

    async def _apply(self, rule: AlarmRule, offset: float) -> None:
        judgment = await self._judgment(rule, self._clock.seconds() + offset)
        now = self._clock.seconds()
        self._state.update(rule, judgment, now)
        for due in self._state.due_to_raise(rule, judgment.violations, now):
            await self._raise(rule, due, offset)
        changed = {}
        for subject, text in judgment.violations.items():
            alarm_id = self._state.active(rule).get(subject)
            if alarm_id is not None and self._texts.get(alarm_id) != text:
                changed[alarm_id] = text
        if changed:
            await self._store.update(changed)
        cleared = self._state.due_to_clear(rule, now)
        known = await self._known_callers(rule, [subject for subject, _id in cleared])
        for subject, alarm_id in cleared:
            why = f"back to normal for {rule.clear_after:g} s" if subject.caller in known else "the caller is forgotten"
            await self._clear(rule.name, subject, alarm_id, why, offset)
        await self._clear_unknown(rule, now, offset)

    async def _known_callers(self, rule: AlarmRule, subjects: Sequence[Subject]) -> set[int]:
        """The callers among some subjects that are not forgotten; 0, which stands for none, is among them."""
        if rule.kind is not Kind.SILENT_CALLER or not subjects:
            return {0}
        return await self._measurements.known_callers([subject.caller for subject in subjects])

    async def _clear_unknown(self, rule: AlarmRule, now: float, offset: float) -> None:
        """Clears alarms of which nothing is reported, if their subject is gone, or if it has been so for long."""
        unknown = dict(self._state.unknown(rule))
        if not unknown:
            return
        gone = await self._measurements.unrouted(unknown)
        active = dict(self._state.active(rule))
        for subject, since in unknown.items():
            if subject in gone:
                await self._clear(rule.name, subject, active[subject], "it is no longer in the routes", offset)
            elif now - since >= UNHEARD:
                await self._clear(rule.name, subject, active[subject], "nothing was reported for a day", offset)

    async def _judgment(self, rule: AlarmRule, now: float) -> Judgment:
        since = int(now - rule.over)
        measurements = self._measurements
        match rule.kind:
            case Kind.ERR_RATE:
                return high_error_rates(rule, await measurements.calls(since, int(now), rule.per_host))
            case Kind.SILENT_CALLER:
                callers = await measurements.callers_seen(since)
                return silent_callers(rule, callers, self._clock.seconds() - self._listening_since, now)
            case _:
                judge = ejected_hosts if rule.kind is Kind.OVERLOADED_HOST else modules_without_healthy_host
                window = self._windows.setdefault(rule.name, EjectionWindow(rule.over, rule.min_callers))
                hosts = window.add(await measurements.states(int(now)), self._clock.seconds())
                return judge(rule, hosts, await measurements.calls(since, int(now), per_host=True))

    async def _raise(self, rule: AlarmRule, due: Due, offset: float) -> None:
        now = int(self._clock.seconds() + offset)
        alarm = Alarm(0, rule.name, rule.kind, due.subject, due.text, now, 0, rule.webhook, 0, 0)
        self._unsure_raises[rule.name, due.subject] = due.text
        stored, is_new = await self._store.raised(alarm)
        del self._unsure_raises[rule.name, due.subject]
        self._state.mark_raised(rule.name, due.subject, stored.id)
        self._texts[stored.id] = stored.text_now
        if is_new:
            _log_raise(stored)

    async def _clear(self, rule_name: str, subject: Subject, alarm_id: int, reason: str, offset: float) -> None:
        self._unsure_clears[alarm_id] = rule_name, subject, reason
        stored, is_new = await self._store.cleared(alarm_id, int(self._clock.seconds() + offset), reason)
        del self._unsure_clears[alarm_id]
        self._state.mark_cleared(rule_name, subject)
        if is_new:
            _log_clear(alarm_id, rule_name, describe(subject, stored.module_name), reason)

    async def _post(self, now: float) -> None:
        """Posts what is due: of this reporter's rules as their conf says now, of others as the table says."""
        targets = {rule.name: (rule.webhook, rule.headers) for rule in self._rules if rule.name in self._owned}
        of_web = [rule.name for rule in self._rules if rule.kind is Kind.HOSTS_KEPT]
        for alarm in await self._store.to_post(now):
            name = of_web[0] if alarm.what == Kind.HOSTS_KEPT and of_web else alarm.rule
            if name in targets:
                await self.webhooks.post(alarm, *targets[name])
            elif name not in self._attended and ORPHANS in self._owned and alarm.webhook:
                await self.webhooks.post(alarm, alarm.webhook, ())

    async def stop(self) -> None:
        """Stops evaluations and posts, and leaves the rules to other reporters.

        Returns when nothing is under way, so the database must answer or be closed.
        """
        self._stopped = True
        await self.webhooks.stop()
        await self._evaluations.stop()
        if self._owned:
            try:
                await self._store.release(self._id)
            except DatabaseError as error:
                _log.info("other reporters wait {ttl:g} s for the rules: {error}", ttl=self._ttl, error=str(error))


def _log_raise(alarm: Alarm) -> None:
    _log.warn(
        "alarm {id} raised by rule {rule}: {subject}: {text}",
        id=alarm.id,
        rule=alarm.rule,
        subject=describe(alarm.subject, alarm.module_name),
        text=alarm.text,
    )


def _log_clear(alarm_id: int, rule: str, subject: str, reason: str) -> None:
    _log.info(
        "alarm {id} of rule {rule} cleared: {subject}: {reason}",
        id=alarm_id,
        rule=rule,
        subject=subject,
        reason=reason,
    )
