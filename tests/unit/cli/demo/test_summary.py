"""What the demo measured, and whether it is as expected."""

import json
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.demo.node_states import NodeStates
from lars.cli.demo.record import Record
from lars.cli.demo.summary import Summary, Timeline, summarize

GOOD = Summary(
    calls=7000,
    unanswered={},
    shares={"a": 0.25, "b": 0.25, "c": 0.25, "d": 0.25},
    failing="c",
    slow="b",
    added="e",
    failures_before=5,
    failures_after=10,
    failures_elsewhere=0,
    slow_share=0.08,
    equal_share=0.333,
    to_ejection=0.1,
    to_restore=8.9,
    to_full_share=1.8,
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

    def test_shares_may_be_a_tenth_off_even(self) -> None:
        near = replace(GOOD, shares={"a": 0.274, "b": 0.226, "c": 0.25, "d": 0.25})
        self.assertEqual(near.missed(), [])
        off = replace(GOOD, shares={"a": 0.28, "b": 0.24, "c": 0.23, "d": 0.25})
        self.assert_missed(off, "a got 28.0%")

    def test_a_run_without_steady_calls_is_missed(self) -> None:
        self.assert_missed(replace(GOOD, shares={}), "no calls")

    def test_a_node_that_is_not_ejected_is_missed(self) -> None:
        self.assert_missed(replace(GOOD, failures_before=None), "c was not ejected")

    def test_a_node_that_is_ejected_after_more_than_five_failures_is_missed(self) -> None:
        self.assert_missed(replace(GOOD, failures_before=6), "only after 6 failed calls")

    def test_more_than_ten_failures_after_the_ejection_are_missed(self) -> None:
        self.assert_missed(replace(GOOD, failures_after=11), "11 calls to c failed after its ejection")

    def test_a_slow_node_with_more_than_half_of_its_share_is_missed(self) -> None:
        self.assert_missed(replace(GOOD, slow_share=0.17), "b got 17.0% of the calls while it was slow; 16.7% at most")
        self.assert_missed(replace(GOOD, slow_share=None), "no calls were made while b was slow")

    def test_a_node_without_its_full_share_after_its_return_is_missed(self) -> None:
        self.assert_missed(replace(GOOD, to_full_share=None), "c did not get its full share again")

    def test_a_node_that_is_not_restored_is_missed(self) -> None:
        self.assert_missed(replace(GOOD, to_restore=None), "c was not restored")

    def test_an_added_node_without_a_call_is_missed(self) -> None:
        self.assert_missed(replace(GOOD, to_first_call=None), "e got no call")

    def test_an_added_node_that_is_called_late_is_missed(self) -> None:
        self.assert_missed(replace(GOOD, to_first_call=3.1), "e got its first call 3.1 s")

    def test_each_kind_of_unanswered_call_is_missed(self) -> None:
        self.assert_missed(
            replace(GOOD, unanswered={"Overloaded": 2, "AgentUnavailable": 1}), "1 call: AgentUn", "2 calls: Over"
        )


class PrintedTests(SynchronousTestCase):
    def test_the_json_says_whether_all_was_well_and_why_not(self) -> None:
        summary = json.loads(json.dumps(replace(GOOD, to_restore=None).as_json()))
        self.assertFalse(summary["ok"])
        self.assertEqual(len(summary["missed"]), 1)
        self.assertIsNone(summary["seconds_to_return"])
        self.assertEqual(summary["failures_before_set_aside"], 5)
        self.assertTrue(GOOD.as_json()["ok"])

    def test_what_did_not_happen_is_shown_as_a_dash(self) -> None:
        lines = replace(GOOD, to_restore=None, shares={}).lines()
        self.assertEqual([line.split()[-1] for line in lines if line.endswith(" -")], ["-", "-"])


class SummarizeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.record = Record()
        self.states = NodeStates()
        self.now = 0.0

    def call(self, pattern: str, failing: str = "") -> dict[str, int]:
        """Calls, a tenth of a second apart; returns the calls of each node in all."""
        for node in pattern:
            self.record.called(self.now, node)
            if node in failing:
                self.record.failed(node)
            self.now = round(self.now + 0.1, 3)
        return dict(self.record.calls)

    def look(self, ejected: str = "") -> None:
        """What the agent says at this time."""
        self.states.observe(self.now, {node: node in ejected for node in "abcde"}, self.record)

    def summarize(self, timeline: Timeline) -> Summary:
        return summarize(self.record, self.states, timeline)

    def test_an_empty_run_has_no_figures(self) -> None:
        summary = self.summarize(Timeline("c", "b", "e"))
        self.assertEqual((summary.calls, summary.shares), (0, {}))
        figures = (summary.failures_before, summary.slow_share, summary.to_ejection, summary.to_restore)
        self.assertEqual((*figures, summary.to_full_share, summary.to_first_call), (None,) * 6)

    def test_figures_come_from_the_record_the_states_and_the_timeline(self) -> None:
        timeline = Timeline("c", "b", "e", steady_calls=self.call("abcd" * 10), failed_at=4.0)
        self.call("abcdc", failing="c")
        self.look(ejected="c")  # at 4.5
        self.call("abd" * 2 + "c", failing="c")
        self.look(ejected="c")
        self.call("a")
        self.look(ejected="c")
        timeline = replace(timeline, recovered_at=5.3, slow_calls={"a": 9, "b": 2, "c": 1, "d": 9})
        self.call("adc")
        self.look()  # at 5.6
        timeline = replace(timeline, regained_at=6.0, added_at=6.0)
        self.now = 6.0
        self.call("abcde")
        summary = self.summarize(timeline)
        self.assertEqual(summary.shares, {"a": 0.25, "b": 0.25, "c": 0.25, "d": 0.25})
        self.assertEqual((summary.failures_before, summary.failures_after), (2, 1))
        self.assertEqual((summary.slow_share, summary.equal_share), (0.1, 1 / 3))
        times = (summary.to_ejection, summary.to_restore, summary.to_full_share, summary.to_first_call)
        self.assertEqual([round(seconds or 0, 3) for seconds in times], [0.5, 0.3, 0.4, 0.4])
        self.assertEqual(summary.missed(), [])

    def test_a_node_ejected_before_it_failed_does_not_count(self) -> None:
        self.look(ejected="c")
        self.assertIsNone(self.summarize(Timeline("c", "b", "e", failed_at=1.0)).failures_before)

    def test_a_node_that_is_restored_only_for_a_while_does_not_count(self) -> None:
        for ejected in ("c", "", "c"):
            self.look(ejected)
        self.assertIsNone(self.summarize(Timeline("c", "b", "e", recovered_at=0.0)).to_restore)

    def test_failures_of_other_nodes_are_counted_apart(self) -> None:
        self.call("abcd" * 10, failing="a")
        self.assertEqual(self.summarize(Timeline("c", "b", "e")).failures_elsewhere, 10)
