"""What the demo's callers saw."""

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.demo.record import Record


class RecordTests(SynchronousTestCase):
    def test_calls_are_numbered_from_one_over_all_nodes(self) -> None:
        record = Record()
        self.assertEqual([record.chosen(0.0, node) for node in "aba"], [1, 2, 3])
        self.assertEqual(record.calls, {"a": 2, "b": 1})

    def test_failed_calls_are_kept_by_node_and_number(self) -> None:
        record = Record()
        number = record.chosen(0.0, "a")
        record.chosen(0.0, "b")
        record.failed(number, "a")
        self.assertEqual(record.failures, {"a": [1]})
        self.assertEqual((record.failed_calls("a"), record.failed_calls("b")), (1, 0))

    def test_recent_calls_are_those_of_the_last_seconds(self) -> None:
        record = Record(recent=2.0)
        for second, node in enumerate("aabb"):
            record.chosen(float(second), node)
        self.assertEqual(record.recent_calls(3.0), {"a": 1, "b": 2})
        self.assertEqual(record.rate(3.0), 1.5)
        self.assertEqual(record.recent_calls(6.0), {})

    def test_choices_reach_the_ejection_detector(self) -> None:
        record = Record()
        for node in "abcd" * 3 + "abd" * 4:
            record.chosen(0.0, node)
        self.assertTrue(record.ejections.is_ejected("c"))
