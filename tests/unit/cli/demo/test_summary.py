"""What the demo measured, and whether it is as expected."""

import json
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.demo.record import Record
from lars.cli.demo.summary import Summary, Timeline, summarize

GOOD = Summary(
    calls=7000,
    unanswered={},
    shares={"a": 0.25, "b": 0.25, "c": 0.25, "d": 0.25},
    failing="c",
    added="e",
    failures_before=15,
    failures_after=218,
    failures_elsewhere=0,
    to_ejection=0.2,
    to_restore=0.55,
    to_first_call=1.1,
)


class BarTests(SynchronousTestCase):
    def test_nothing_is_missed_in_a_good_run(self) -> None:
        self.assertEqual(GOOD.missed(), [])

    def assert_missed(self, summary: Summary, *parts: str) -> None:
        missed = summary.missed()
        self.assertEqual(len(missed), len(parts), missed)
        for line, part in zip(missed, parts, strict=True):
            self.assertIn(part, line)

    def test_shares_may_be_a_twentieth_off_even(self) -> None:
        near = replace(GOOD, shares={"a": 0.261, "b": 0.239, "c": 0.25, "d": 0.25})
        self.assertEqual(near.missed(), [])
        off = replace(GOOD, shares={"a": 0.27, "b": 0.24, "c": 0.24, "d": 0.25})
        self.assert_missed(off, "a got 27.0%")

    def test_a_run_without_steady_calls_is_missed(self) -> None:
        self.assert_missed(replace(GOOD, shares={}), "no calls")

    def test_a_node_that_is_not_ejected_is_missed(self) -> None:
        self.assert_missed(replace(GOOD, failures_before=None), "c was not ejected")

    def test_a_node_that_is_ejected_late_is_missed(self) -> None:
        self.assertEqual(replace(GOOD, failures_before=20).missed(), [])
        self.assert_missed(replace(GOOD, failures_before=21), "only after 21 failed calls")

    def test_a_node_that_is_not_restored_is_missed(self) -> None:
        self.assert_missed(replace(GOOD, to_restore=None), "c was not restored")

    def test_an_added_node_without_a_call_is_missed(self) -> None:
        self.assert_missed(replace(GOOD, to_first_call=None), "e got no call")

    def test_an_added_node_that_is_called_late_is_missed(self) -> None:
        self.assert_missed(replace(GOOD, to_first_call=3.1), "e got its first call 3.1 s")

    def test_each_kind_of_unanswered_call_is_missed(self) -> None:
        self.assert_missed(
            replace(GOOD, unanswered={"Overloaded": 2, "AgentUnavailable": 1}), "1 calls: AgentUn", "2 calls: Over"
        )


class PrintedTests(SynchronousTestCase):
    def test_the_json_says_whether_all_was_well_and_why_not(self) -> None:
        summary = json.loads(json.dumps(replace(GOOD, to_restore=None).as_json()))
        self.assertFalse(summary["ok"])
        self.assertEqual(len(summary["missed"]), 1)
        self.assertIsNone(summary["seconds_to_return"])
        self.assertEqual(summary["failures_before_set_aside"], 15)
        self.assertTrue(GOOD.as_json()["ok"])

    def test_what_did_not_happen_is_shown_as_a_dash(self) -> None:
        lines = replace(GOOD, to_restore=None, shares={}).lines()
        self.assertEqual([line.split()[-1] for line in lines if line.endswith(" -")], ["-", "-"])


class SummarizeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.record = Record()
        self.now = 0.0

    def choose(self, pattern: str, failing: str = "") -> None:
        """Calls, a tenth of a second apart."""
        for node in pattern:
            number = self.record.chosen(self.now, node)
            if node in failing:
                self.record.failed(number, node)
            self.now = round(self.now + 0.1, 3)

    def test_an_empty_run_has_no_figures(self) -> None:
        summary = summarize(self.record, Timeline("c", "e"))
        self.assertEqual((summary.calls, summary.shares), (0, {}))
        self.assertEqual(
            (summary.failures_before, summary.to_ejection, summary.to_restore, summary.to_first_call), (None,) * 4
        )

    def test_figures_come_from_the_record_and_the_timeline(self) -> None:
        self.choose("abcd" * 10)
        timeline = Timeline("c", "e", failed_at=self.now, steady_calls=dict(self.record.calls))
        self.choose("abcd" * 15 + "abdabdabdac" * 3, failing="c")
        timeline = replace(timeline, recovered_at=self.now)
        self.choose("bdabdabdabc" * 2 + "dabc" * 5)
        timeline = replace(timeline, added_at=self.now)
        self.choose("dabc" * 3 + "dabce" * 3)
        summary = summarize(self.record, timeline)
        self.assertEqual(summary.shares, {"a": 0.25, "b": 0.25, "c": 0.25, "d": 0.25})
        self.assertEqual((summary.failures_before, summary.failures_after), (15, 3))
        self.assertAlmostEqual(summary.to_ejection or 0, 5.8)  # c's last regular call is the 59th of the scene
        self.assertAlmostEqual(summary.to_restore or 0, 2.5)
        self.assertAlmostEqual(summary.to_first_call or 0, 1.6)
        self.assertEqual(summary.missed(), [])

    def test_a_node_ejected_before_it_failed_does_not_count(self) -> None:
        self.choose("abcd" * 10 + "abd" * 5)
        summary = summarize(self.record, Timeline("c", "e", failed_at=self.now))
        self.assertIsNone(summary.failures_before)

    def test_a_node_that_is_restored_only_for_a_while_does_not_count(self) -> None:
        self.choose("abcd" * 10 + "abd" * 5)
        recovered_at = self.now
        self.choose("abcd" * 5 + "abd" * 5)
        self.assertIsNone(summarize(self.record, Timeline("c", "e", recovered_at=recovered_at)).to_restore)

    def test_failures_of_other_nodes_are_counted_apart(self) -> None:
        self.choose("abcd" * 10, failing="a")
        self.assertEqual(summarize(self.record, Timeline("c", "e")).failures_elsewhere, 10)
