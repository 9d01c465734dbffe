"""Reading metrics in the Prometheus text form."""

from math import inf

from twisted.trial.unittest import SynchronousTestCase

from bench.exposition import histogram_percentile, parsed

PAGE = """\
# HELP lag_seconds How long the reactor was busy.
# TYPE lag_seconds histogram
lag_seconds_bucket{le="0.01"} %d.0
lag_seconds_bucket{le="0.1"} %d.0
lag_seconds_bucket{le="+Inf"} %d.0
lag_seconds_count 10.0
rows_total{table="a b",kind="x"} 1.5e+03
"""


class ExpositionTests(SynchronousTestCase):
    def test_samples_are_named_as_written(self) -> None:
        samples = parsed(PAGE % (1, 2, 3))
        self.assertEqual(samples.values['rows_total{table="a b",kind="x"}'], 1500)
        self.assertEqual(samples.values["lag_seconds_count"], 10)

    def test_buckets_are_ascending(self) -> None:
        self.assertEqual(parsed(PAGE % (1, 2, 3)).buckets("lag_seconds"), [(0.01, 1), (0.1, 2), (inf, 3)])

    def test_percentile_is_the_limit_of_the_bucket_that_holds_it(self) -> None:
        before, after = parsed(PAGE % (5, 5, 5)), parsed(PAGE % (95, 104, 105))
        for share, limit in ((0.5, 0.01), (0.9, 0.01), (0.99, 0.1), (1, inf)):
            self.assertEqual(histogram_percentile("lag_seconds", before, after, share), limit, share)

    def test_percentile_of_nothing_is_none(self) -> None:
        page = parsed(PAGE % (5, 5, 5))
        self.assertIsNone(histogram_percentile("lag_seconds", page, page, 0.5))
        self.assertIsNone(histogram_percentile("no_such", page, page, 0.5))
