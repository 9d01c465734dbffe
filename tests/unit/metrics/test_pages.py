"""The pages, without HTTP: which path, method and Accept header get which answer."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from twisted.trial.unittest import SynchronousTestCase

from lars.metrics.pages import Pages

# What Prometheus 2.x and 3.x send.
PROMETHEUS_2 = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;"
    "q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


class Calls:
    """A collector of one counter."""

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily("lars_calls_total", "Calls.", 7)


class PagesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reason = ""
        registry = CollectorRegistry()
        registry.register(Calls())
        self.pages = Pages(registry, lambda: self.reason)

    def test_metrics_are_the_registry_s_in_the_text_format(self) -> None:
        for accept in ("", "*/*", "text/html,*/*;q=0.8"):
            answer = self.pages.answer(b"GET", b"/metrics", accept)
            self.assertEqual((answer.status, answer.content_type[:25]), (200, "text/plain; version=0.0.4"), accept)
            [family] = parse_text(answer.body.decode())
            self.assertEqual((family.name, family.type, family.samples[0].value), ("lars_calls", "counter", 7))

    def test_a_scraper_that_prefers_openmetrics_gets_it(self) -> None:
        for accept in ("application/openmetrics-text", PROMETHEUS_2, PROMETHEUS_3):
            answer = self.pages.answer(b"GET", b"/metrics", accept)
            self.assertTrue(answer.content_type.startswith("application/openmetrics-text; version=1.0.0"), accept)
            [family] = parse_openmetrics(answer.body.decode())
            self.assertEqual((family.name, family.samples[0].value), ("lars_calls", 7))

    def test_an_accept_header_that_makes_no_sense_gets_the_text_format(self) -> None:
        for version in ("abc", "1.x", "1.0.0.", "", "²"):
            answer = self.pages.answer(b"GET", b"/metrics", f"text/plain; version={version}")
            self.assertEqual(answer.status, 200, version)
            self.assertIn(b"lars_calls_total 7.0", answer.body)

    @given(st.text(st.characters(codec="latin-1")) | st.text("application/openmetrics-text;version=1.0x,"))
    def test_no_accept_header_fails(self, accept: str) -> None:
        for kind in ("", "text/plain;version=", "application/openmetrics-text;version="):
            self.assertEqual(self.pages.answer(b"GET", b"/metrics", kind + accept).status, 200)

    def test_healthz_is_ok_also_when_not_ready(self) -> None:
        self.reason = "no table yet"
        answer = self.pages.answer(b"GET", b"/healthz", "")
        self.assertEqual((answer.status, answer.body), (200, b"ok\n"))

    def test_readyz_says_ready_or_in_one_line_why_not(self) -> None:
        answer = self.pages.answer(b"GET", b"/readyz", "")
        self.assertEqual((answer.status, answer.body), (200, b"ready\n"))
        self.reason = "no table yet:\n  the database is away…"
        answer = self.pages.answer(b"GET", b"/readyz", "")
        self.assertEqual((answer.status, answer.body.decode()), (503, "no table yet: the database is away…\n"))

    def test_other_paths_are_not_found_whatever_the_method(self) -> None:
        for path in (b"/", b"/metrics/", b"/metrics/x", b"/Metrics", b"//metrics", b"", b"/\xff"):
            for method in (b"GET", b"POST"):
                self.assertEqual(self.pages.answer(method, path, "").status, 404, path)

    def test_other_methods_are_told_which_are_allowed(self) -> None:
        for method in (b"POST", b"PUT", b"DELETE", b"OPTIONS", b"get", b"BREW", b""):
            answer = self.pages.answer(method, b"/metrics", "")
            self.assertEqual((answer.status, answer.allow), (405, "GET, HEAD"), method)
