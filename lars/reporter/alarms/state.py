"""Which alarms stand, and when one raises or clears: once each, and not for what comes and goes. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from lars.db.alarms import Alarm, Subject
from lars.reporter.alarms.evaluate import Wrong
from lars.reporter.alarms.rules import AlarmRule


class Due(NamedTuple):
    """An alarm that is to be raised."""

    subject: Subject
    text: str


@dataclass(slots=True)
class _OfRule:
    wrong_since: dict[Subject, float] = field(default_factory=dict)
    standing: dict[Subject, int] = field(default_factory=dict)  # the id of each
    right_since: dict[Subject, float] = field(default_factory=dict)  # of what stands


class AlarmState:
    """What stands, by rule. Times are in seconds of any clock that does not jump.

    `due_to_raise` and `due_to_clear` only say what is due; it counts once `raised` or `cleared` says that it is stored,
    so that what could not be stored is due again.
    """

    def __init__(self) -> None:
        self._rules: dict[str, _OfRule] = {}

    def __len__(self) -> int:
        return sum(len(of_rule.standing) for of_rule in self._rules.values())

    def note(self, rule: AlarmRule, wrong: Wrong, now: float) -> None:
        """What is wrong by a rule at this moment; everything else is right."""
        of_rule = self._of(rule.name)
        of_rule.wrong_since = {subject: of_rule.wrong_since.get(subject, now) for subject in wrong}
        of_rule.right_since = {
            subject: of_rule.right_since.get(subject, now) for subject in of_rule.standing if subject not in wrong
        }

    def due_to_raise(self, rule: AlarmRule, wrong: Wrong, now: float) -> list[Due]:
        """What has been wrong for long enough and does not stand yet."""
        of_rule = self._of(rule.name)
        return [
            Due(subject, wrong[subject])
            for subject, since in of_rule.wrong_since.items()
            if subject not in of_rule.standing and now - since >= rule.raise_after
        ]

    def due_to_clear(self, rule: AlarmRule, now: float) -> list[tuple[Subject, int]]:
        """What stands and has been right for long enough, with its id."""
        of_rule = self._of(rule.name)
        return [
            (subject, of_rule.standing[subject])
            for subject, since in of_rule.right_since.items()
            if now - since >= rule.clear_after
        ]

    def raised(self, rule: str, subject: Subject, alarm_id: int) -> None:
        """An alarm stands, by this reporter, an earlier run of it, or another one."""
        self._of(rule).standing[subject] = alarm_id

    def cleared(self, rule: str, subject: Subject) -> None:
        """An alarm does not stand any more."""
        of_rule = self._of(rule)
        of_rule.standing.pop(subject, None)
        of_rule.right_since.pop(subject, None)

    def synchronize(self, stored: Iterable[Alarm]) -> None:
        """Makes what stands equal to what is stored: other reporters raise and clear too."""
        ids = {alarm.id: alarm for alarm in stored}
        for rule, subject, alarm_id in list(self._standing()):
            if alarm_id not in ids:
                self.cleared(rule, subject)
        for alarm in ids.values():
            self.raised(alarm.rule, alarm.subject, alarm.id)

    def of_no_rule(self, rules: Iterable[AlarmRule]) -> list[tuple[str, Subject, int]]:
        """What stands by rules that are no more."""
        names = {rule.name for rule in rules}
        return [standing for standing in self._standing() if standing[0] not in names]

    def _standing(self) -> Iterator[tuple[str, Subject, int]]:
        for rule, of_rule in self._rules.items():
            for subject, alarm_id in of_rule.standing.items():
                yield rule, subject, alarm_id

    def _of(self, rule: str) -> _OfRule:
        return self._rules.setdefault(rule, _OfRule())
