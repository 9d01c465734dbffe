"""What the demo's callers saw."""

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.demo.record import Record


class RecordTests(SynchronousTestCase):
    def test_calls_and_failed_calls_are_counted_by_node(self) -> None:
        record = Record()
        for node in "aba":
            record.called(0.0, node)
        record.failed("a")
        self.assertEqual((record.calls, record.failures), ({"a": 2, "b": 1}, {"a": 1}))

    def test_the_first_call_of_each_node_is_kept(self) -> None:
        record = Record()
        for second, node in enumerate("aba"):
            record.called(float(second), node)
        self.assertEqual(record.first_call, {"a": 0.0, "b": 1.0})

    def test_recent_calls_are_those_of_the_last_seconds(self) -> None:
        record = Record(recent=2.0)
        for second, node in enumerate("aabb"):
            record.called(float(second), node)
        self.assertEqual(record.recent_calls(3.0), {"a": 1, "b": 2})
        self.assertEqual(record.rate(3.0), 1.5)
        self.assertEqual(record.recent_calls(6.0), {})

    def test_a_share_is_of_the_recent_calls(self) -> None:
        record = Record(recent=2.0)
        for second, node in enumerate("aaab"):
            record.called(float(second), node)
        self.assertAlmostEqual(record.share("b", 3.0), 1 / 3)
        self.assertEqual(record.share("b", 9.0), 0.0)
