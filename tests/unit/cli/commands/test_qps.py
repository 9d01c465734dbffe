"""What `lars qps` prints about its result."""

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.commands.qps import as_object, summary
from lars.cli.load import LoadResult

RESULT = LoadResult(2.0, 4000, Counter({"no hosts": 3}), [n * 1e-6 for n in range(1, 1001)])


class ResultTests(SynchronousTestCase):
    def test_json_has_the_rate_and_percentiles_in_microseconds(self) -> None:
        self.assertEqual(
            as_object(RESULT),
            {"seconds": 2.0, "cycles": 4000, "cycles_per_s": 2000.0, "refused": {"no hosts": 3}}
            | {"p50_us": 501.0, "p90_us": 901.0, "p99_us": 991.0, "p99.9_us": 1000.0},
        )

    def test_text_has_them_too_and_counts_refusals_by_reason(self) -> None:
        self.assertEqual(
            summary(RESULT),
            "2,000 get_host + report cycles/s over 2.0 s; "
            "get_host in µs: p50 501, p90 901, p99 991, p99.9 1,000; 3 no hosts",
        )
