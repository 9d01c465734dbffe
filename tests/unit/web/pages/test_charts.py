"""The geometry of charts."""

from datetime import UTC
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.web.pages.charts import HEIGHT, TOP, chart, nice_top, number_text, spark, totals
from lars.web.spans import SPANS, start_of

NOW = 1_700_000_000.0


class ChartTests(SynchronousTestCase):
    def test_every_span_has_its_bars_and_readable_axes(self) -> None:
        for span, (length, step) in SPANS.items():
            for zone in (UTC, ZoneInfo("Asia/Kathmandu"), ZoneInfo("Asia/Kolkata"), ZoneInfo("Etc/GMT+5")):
                made = chart({start_of(NOW, span): (600, 60)}, NOW, span, zone)
                self.assertEqual(len(made.bars), length // step)
                self.assertTrue(4 <= len(made.x_ticks) <= 8, (span, zone, made.x_ticks))
            self.assertEqual(len(made.y_ticks), 3)

    def test_failures_are_stacked_on_successes_and_reach_the_scale(self) -> None:
        start = start_of(NOW, "1h")
        bar = chart({start: (540, 60)}, NOW, "1h", UTC).bars[0]
        self.assertAlmostEqual(bar.succ_y - bar.err_height, bar.err_y, 1)
        self.assertAlmostEqual(bar.err_y, TOP, 1)  # 10 calls a second is the top of its scale

    def test_nothing_is_empty(self) -> None:
        self.assertTrue(chart({}, NOW, "1h", UTC).empty)
        self.assertEqual(spark({}, NOW, "1h").failed, ())

    @given(st.floats(1e-6, 1e12))
    def test_top_of_the_scale_is_close_above(self, most: float) -> None:
        self.assertTrue(most * 0.999999 <= nice_top(most) <= most * 2.51)

    @given(st.dictionaries(st.integers(0, 59), st.tuples(st.integers(0, 10**9), st.integers(0, 10**9))))
    def test_no_bar_leaves_the_chart(self, calls: dict[int, tuple[int, int]]) -> None:
        start = start_of(NOW, "1h")
        for bar in chart({start + 60 * n: c for n, c in calls.items()}, NOW, "1h", UTC).bars:
            self.assertTrue(TOP - 0.1 <= bar.err_y <= bar.succ_y + 0.1 <= HEIGHT)

    def test_marks(self) -> None:
        self.assertEqual([number_text(n) for n in (0, 0.5, 25, 1500, 2e6)], ["0", "0.5", "25", "1.5k", "2M"])

    def test_totals_sum_hosts_by_period(self) -> None:
        self.assertEqual(totals([(0, 1, 2), (60, 3, 0), (0, 10, 20)]), {0: (11, 22), 60: (3, 0)})
