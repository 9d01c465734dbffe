"""Spans of time."""

from twisted.trial.unittest import SynchronousTestCase

from lars.web.spans import SPANS, start_of


class SpanTests(SynchronousTestCase):
    def test_span_is_whole_steps_and_ends_with_the_running_one(self) -> None:
        for now in (1_700_000_000.0, 1_700_000_040.0):
            for span, (length, step) in SPANS.items():
                start = start_of(now, span)
                self.assertEqual((start % step, length % step), (0, 0))
                self.assertTrue(start + length - step <= now < start + length, span)
