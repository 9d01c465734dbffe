"""Figures: measures against their bars, as text and as JSON."""

import io
import json
from contextlib import redirect_stderr

from twisted.trial.unittest import SynchronousTestCase

from bench.figure import Figure, Measure


class MeasureTests(SynchronousTestCase):
    def test_bar_is_the_most_unless_at_least(self) -> None:
        for value, at_least, met in ((1.0, False, True), (1.1, False, False), (1.0, True, True), (0.9, True, False)):
            self.assertIs(Measure("m", value, "s", 1.0, at_least).met, met, (value, at_least))

    def test_without_a_bar_nothing_is_met_or_missed(self) -> None:
        measure = Measure("start", 0.123456789, "s")
        self.assertIsNone(measure.met)
        self.assertEqual(str(measure), "start 0.1235 s")
        self.assertEqual(measure.as_json(), {"name": "start", "value": 0.123457, "unit": "s"})

    def test_text_and_json_show_the_bar(self) -> None:
        measure = Measure("requests", 59_999.6, "/s", 60_000, at_least=True)
        self.assertEqual(str(measure), "requests 60,000 /s (bar ≥ 60,000: MISSED)")
        self.assertEqual(measure.as_json()["bar"], ">= 60000")
        self.assertIs(measure.as_json()["met"], False)


class FigureTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.figure = Figure("edit", "sqlite", load_before=[0.0, 0.0, 0.0])
        self.printed = io.StringIO()

    def test_spread_names_each_percentile_and_prints_one_line(self) -> None:
        with redirect_stderr(self.printed):
            self.figure.spread("lag", [1.0, 2.0, 3.0], "ms", (0.5, 0.999, 1), {1: 2.5})
        self.assertEqual([measure.name for measure in self.figure.measures], ["lag p50", "lag p99.9", "lag max"])
        self.assertEqual([measure.met for measure in self.figure.measures], [None, None, False])
        line = "edit sqlite: lag: p50 2 ms, p99.9 3 ms, max 3 ms (bar ≤ 2.5: MISSED)\n"
        self.assertEqual(self.printed.getvalue(), line)

    def test_figure_that_failed_keeps_what_it_has_and_says_why(self) -> None:
        with redirect_stderr(self.printed):
            self.figure.measure("start", 1.5, "s", at_most=2)
            self.figure.fail("the disk is full")
        document = json.loads(json.dumps(self.figure.as_json()))
        self.assertEqual(
            document["measures"], [{"name": "start", "value": 1.5, "unit": "s", "bar": "<= 2", "met": True}]
        )
        self.assertEqual(document["error"], "the disk is full")
        self.assertIn("edit sqlite: NOT MEASURED: the disk is full", self.printed.getvalue())

    def test_json_of_a_figure_without_error_has_no_error(self) -> None:
        self.assertEqual(
            self.figure.as_json(),
            {"figure": "edit", "engine": "sqlite", "load_average_before": [0.0] * 3, "measures": [], "facts": {}},
        )
