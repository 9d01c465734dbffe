"""An alarm is raised once and cleared once, and not while its subject flaps."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.alarms import Alarm
from lars.db.measurements import Subject
from lars.reporter.alarms.evaluate import Judgment
from lars.reporter.alarms.rules import AlarmRule, Kind
from lars.reporter.alarms.state import AlarmState

RULE = AlarmRule("x", Kind.NO_IDLE_HOST, raise_after=30, clear_after=60)
M = Subject(1, 1)


def stored(alarm_id: int, subject: Subject = M, rule: str = "x") -> Alarm:
    return Alarm(alarm_id, rule, "no_idle_host", subject, "", 1, 0, "", 0, 0)


class AlarmStateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.state = AlarmState()

    def step(self, now: float, *violating: Subject, store: bool = True, heard: bool = True) -> list[str]:
        """One evaluation: the alarms raised ("+modid") and cleared ("-modid"), stored unless `store` is False.

        What does not violate is right if anything is `heard` of it.
        """
        texts = dict.fromkeys(violating, "bad")
        self.state.update(RULE, Judgment(texts, lambda subject: heard), now)
        raised = [due.subject for due in self.state.due_to_raise(RULE, texts, now)]
        cleared = [subject for subject, _id in self.state.due_to_clear(RULE, now)]
        if store:
            for number, subject in enumerate(raised):
                self.state.mark_raised("x", subject, number)
            for subject in cleared:
                self.state.mark_cleared("x", subject)
        return [f"+{subject.modid}" for subject in raised] + [f"-{subject.modid}" for subject in cleared]

    def test_alarm_is_raised_once_after_raise_after(self) -> None:
        self.assertEqual([self.step(now, M) for now in (0, 10, 29, 30, 31, 100)], [[], [], [], ["+1"], [], []])

    def test_alarm_is_cleared_once_after_clear_after(self) -> None:
        self.step(0, M), self.step(30, M)
        self.assertEqual([self.step(now) for now in (40, 99, 100, 101)], [[], [], ["-1"], []])

    def test_flapping_subject_neither_raises_nor_clears(self) -> None:
        for now in range(0, 200, 20):
            self.assertEqual(self.step(now, *([M] if now % 40 else [])), [])
        self.step(200, M), self.step(230, M)
        for now in range(240, 600, 40):
            self.assertEqual((self.step(now), self.step(now + 20, M)), ([], []))

    def test_subjects_are_independent(self) -> None:
        other = Subject(2, 1)
        self.step(0, M), self.step(20, M, other)
        self.assertEqual((self.step(30, M, other), self.step(50, M, other)), (["+1"], ["+2"]))

    def test_change_that_could_not_be_stored_is_due_again(self) -> None:
        self.step(0, M)
        self.assertEqual([self.step(now, M, store=False) for now in (30, 31)], [["+1"], ["+1"]])
        self.assertEqual(self.step(32, M), ["+1"])
        self.step(40)
        self.assertEqual([self.step(now, store=False) for now in (100, 101)], [["-1"], ["-1"]])

    def test_alarm_from_before_a_restart_is_not_raised_again_and_is_cleared(self) -> None:
        self.state.synchronize([stored(5)])
        self.assertEqual([self.step(now, M) for now in (0, 60)], [[], []])
        self.assertEqual([self.step(now) for now in (70, 130)], [[], ["-1"]])

    def test_alarms_that_another_reporter_raises_or_clears_are_adopted(self) -> None:
        self.step(0, M)
        self.state.synchronize([stored(5)])
        self.assertEqual((self.step(30, M), len(self.state)), ([], 1))
        self.state.synchronize([])
        self.assertEqual((self.step(200), len(self.state)), ([], 0))

    def test_silence_is_not_health(self) -> None:
        self.step(0, M), self.step(30, M)
        self.assertEqual([self.step(now, heard=False) for now in (40, 100, 500)], [[], [], []])
        self.assertEqual(self.state.unknown(RULE), {M: 40})
        self.assertEqual([self.step(now) for now in (510, 569, 570)], [[], [], ["-1"]])
        self.assertEqual((self.state.unknown(RULE), self.state.active(RULE)), ({}, {}))

    def test_silence_in_between_neither_clears_nor_starts_the_time_anew(self) -> None:
        self.step(0, M), self.step(30, M)
        self.step(40)
        self.assertEqual([self.step(now, heard=False) for now in (90, 100, 200)], [[], [], []])
        self.assertEqual(self.step(205), ["-1"])

    def test_fault_in_between_starts_the_time_anew(self) -> None:
        self.step(0, M), self.step(30, M)
        self.step(40), self.step(50, M), self.step(60, heard=False)
        self.assertEqual([self.step(now) for now in (100, 159, 160)], [[], [], ["-1"]])
