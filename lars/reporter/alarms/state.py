"""Which alarms are active, and which are due to be raised or cleared: each once, however its subject flaps. Pure.

See docs/design/reporter.md, alarms.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from lars.db.alarms import Alarm
from lars.db.measurements import Subject
from lars.reporter.alarms.evaluate import Judgment, Violations
from lars.reporter.alarms.rules import AlarmRule


class Due(NamedTuple):
    """An alarm that is due to be raised."""

    subject: Subject
    text: str


@dataclass(slots=True)
class _RuleState:
    violated_since: dict[Subject, float] = field(default_factory=dict)
    active: dict[Subject, int] = field(default_factory=dict)  # subject -> alarm id
    ok_since: dict[Subject, float] = field(default_factory=dict)  # active subjects only
    unknown_since: dict[Subject, float] = field(default_factory=dict)  # active subjects only


class AlarmState:
    """The active alarms, by rule. Times are in seconds of a monotonic clock.

    `due_to_raise` and `due_to_clear` change nothing. `mark_raised` and `mark_cleared` record what has been stored, so
    that a change that could not be stored is due again.
    """

    def __init__(self) -> None:
        self._rules: dict[str, _RuleState] = {}

    def __len__(self) -> int:
        """The number of active alarms."""
        return sum(len(state.active) for state in self._rules.values())

    def update(self, rule: AlarmRule, judgment: Judgment, now: float) -> None:
        """Records the result of one evaluation of a rule."""
        state = self._state(rule.name)
        violations = judgment.violations
        state.violated_since = {subject: state.violated_since.get(subject, now) for subject in violations}
        quiet = [subject for subject in state.active if subject not in violations]
        right = {subject for subject in quiet if judgment.is_right(subject)}
        state.unknown_since = {
            subject: state.unknown_since.get(subject, now) for subject in quiet if subject not in right
        }
        state.ok_since = {
            subject: state.ok_since.get(subject, now)
            for subject in quiet
            if subject in right or subject in state.ok_since  # silence in between is no fault
        }

    def unknown(self, rule: AlarmRule) -> dict[Subject, float]:
        """The subjects of active alarms of which nothing is reported, and since when."""
        return self._state(rule.name).unknown_since

    def active(self, rule: AlarmRule) -> dict[Subject, int]:
        """The subjects of active alarms of a rule, and their ids."""
        return self._state(rule.name).active

    def due_to_raise(self, rule: AlarmRule, violations: Violations, now: float) -> list[Due]:
        """Subjects that have violated the rule for its `raise_after` and have no active alarm."""
        state = self._state(rule.name)
        return [
            Due(subject, violations[subject])
            for subject, since in state.violated_since.items()
            if subject not in state.active and now - since >= rule.raise_after
        ]

    def due_to_clear(self, rule: AlarmRule, now: float) -> list[tuple[Subject, int]]:
        """Active alarms whose subject is OK, and was for the first time `clear_after` ago: subject and alarm id."""
        state = self._state(rule.name)
        return [
            (subject, state.active[subject])
            for subject, since in state.ok_since.items()
            if subject not in state.unknown_since and now - since >= rule.clear_after
        ]

    def mark_raised(self, rule: str, subject: Subject, alarm_id: int) -> None:
        """An alarm is active, whichever reporter raised it."""
        self._state(rule).active[subject] = alarm_id

    def mark_cleared(self, rule: str, subject: Subject) -> None:
        """An alarm is no longer active."""
        state = self._state(rule)
        state.active.pop(subject, None)
        state.ok_since.pop(subject, None)
        state.unknown_since.pop(subject, None)

    def synchronize(self, stored: Iterable[Alarm]) -> None:
        """Makes the active alarms equal to the stored ones, which other reporters change too."""
        ids = {alarm.id: alarm for alarm in stored}
        for rule, subject, alarm_id in list(self._active()):
            if alarm_id not in ids:
                self.mark_cleared(rule, subject)
        for alarm in ids.values():
            self.mark_raised(alarm.rule, alarm.subject, alarm.id)

    def _active(self) -> Iterator[tuple[str, Subject, int]]:
        for rule, state in self._rules.items():
            for subject, alarm_id in state.active.items():
                yield rule, subject, alarm_id

    def _state(self, rule: str) -> _RuleState:
        return self._rules.setdefault(rule, _RuleState())
