"""An alarm raises once and clears once, and not for what comes and goes."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.alarms import Alarm, Subject
from lars.reporter.alarms.rules import AlarmRule, Kind
from lars.reporter.alarms.state import AlarmState

RULE = AlarmRule("x", Kind.NO_IDLE_HOST, raise_after=30, clear_after=60)
M = Subject(1, 1)


def stored(alarm_id: int, subject: Subject = M, rule: str = "x") -> Alarm:
    return Alarm(alarm_id, rule, "no_idle_host", subject, "", 1, 0, "", 0, 0)


class AlarmStateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.book = AlarmState()

    def step(self, now: float, *wrong: Subject, store: bool = True) -> list[str]:
        """One look; what raises ("+modid") and clears ("-modid"), which is stored unless that fails."""
        texts = dict.fromkeys(wrong, "bad")
        self.book.note(RULE, texts, now)
        raised = [due.subject for due in self.book.due_to_raise(RULE, texts, now)]
        cleared = [subject for subject, _id in self.book.due_to_clear(RULE, now)]
        if store:
            for number, subject in enumerate(raised):
                self.book.raised("x", subject, number)
            for subject in cleared:
                self.book.cleared("x", subject)
        return [f"+{subject.modid}" for subject in raised] + [f"-{subject.modid}" for subject in cleared]

    def test_it_raises_once_when_it_was_wrong_for_long_enough(self) -> None:
        self.assertEqual([self.step(now, M) for now in (0, 10, 29, 30, 31, 100)], [[], [], [], ["+1"], [], []])

    def test_it_clears_once_when_it_was_right_for_long_enough(self) -> None:
        self.step(0, M), self.step(30, M)
        self.assertEqual([self.step(now) for now in (40, 99, 100, 101)], [[], [], ["-1"], []])

    def test_what_comes_and_goes_neither_raises_nor_clears(self) -> None:
        for now in range(0, 200, 20):
            self.assertEqual(self.step(now, *([M] if now % 40 else [])), [])
        self.step(200, M), self.step(230, M)
        for now in range(240, 600, 40):
            self.assertEqual((self.step(now), self.step(now + 20, M)), ([], []))

    def test_subjects_are_apart(self) -> None:
        other = Subject(2, 1)
        self.step(0, M), self.step(20, M, other)
        self.assertEqual((self.step(30, M, other), self.step(50, M, other)), (["+1"], ["+2"]))

    def test_what_could_not_be_stored_is_due_again(self) -> None:
        self.step(0, M)
        self.assertEqual([self.step(now, M, store=False) for now in (30, 31)], [["+1"], ["+1"]])
        self.assertEqual(self.step(32, M), ["+1"])
        self.step(40)
        self.assertEqual([self.step(now, store=False) for now in (100, 101)], [["-1"], ["-1"]])

    def test_what_stands_from_before_a_restart_does_not_raise_again_and_clears(self) -> None:
        self.book.synchronize([stored(5)])
        self.assertEqual([self.step(now, M) for now in (0, 60)], [[], []])
        self.assertEqual([self.step(now) for now in (70, 130)], [[], ["-1"]])

    def test_what_another_reporter_raises_or_clears_is_so_here(self) -> None:
        self.step(0, M)
        self.book.synchronize([stored(5)])
        self.assertEqual((self.step(30, M), len(self.book)), ([], 1))
        self.book.synchronize([])
        self.assertEqual((self.step(200), len(self.book)), ([], 0))

    def test_what_stands_by_a_rule_that_is_gone_is_found(self) -> None:
        self.book.synchronize([stored(5), stored(6, rule="gone")])
        self.assertEqual(self.book.of_no_rule([RULE]), [("gone", M, 6)])
