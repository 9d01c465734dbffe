"""The audit shows what an edit has changed, and in words that people can read."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.audit import Edit
from lars.web.audit_lines import changed_lines


def lines(before: str, after: str) -> tuple[list[str], list[str]]:
    return changed_lines(Edit("hosts", 1, 1, before, after, 7), lambda at: f"<{at:.0f}>")


class ChangedLinesTests(SynchronousTestCase):
    def test_only_what_differs_is_shown(self) -> None:
        self.assertEqual(lines("10.0.0.1:80 10.0.0.2:80", "10.0.0.2:80"), (["10.0.0.1:80"], []))

    def test_each_setting_has_a_line_and_only_if_it_is_changed(self) -> None:
        before, after = (
            '{"panic":true,"policy":"classic"}',
            '{"health_check.path":"/x","panic":false,"policy":"classic"}',
        )
        shown = (["panic = true"], ["health_check.path = /x", "panic = false"])
        self.assertEqual(lines(f"settings {before}", f"settings {after}"), shown)
        self.assertEqual(lines("", "settings of nobody"), ([], ["settings of nobody"]))

    def test_end_of_a_drain_is_a_moment_but_what_people_wrote_stays(self) -> None:
        note = r'10.0.0.1:80 weight=0 note="\"drained_until=5" drained_until=60 drain_reason="drained_until=5"'
        _gone, (come,) = lines("", note)
        self.assertEqual(come, note.replace("drained_until=60", "drained_until=<60>"))
