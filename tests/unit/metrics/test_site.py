"""The pages over HTTP, in memory: what clients get, and what bad ones cannot do."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import Metric
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from lars.metrics.pages import Pages
from lars.metrics.site import MAX_CONNECTIONS, MetricsSite
from tests.unit.metrics.scraper import Scraper

LIFETIME = 10.0


class Broken:
    """A collector with a bug."""

    def collect(self) -> list[Metric]:
        raise ZeroDivisionError("a bug")


class SiteCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.registry = CollectorRegistry()
        Gauge("lars_modules", "Modules.", registry=self.registry).set(3)
        self.reason = ""
        self.site = MetricsSite(self.clock, Pages(self.registry, lambda: self.reason), LIFETIME)
        self.site.doStart()
        self.logged: list[LogEvent] = []
        observe: Any = self.logged.append
        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)

    def tearDown(self) -> None:
        self.clock.advance(LIFETIME)
        self.site.doStop()
        self.assertEqual(self.site.channels, set())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def connect(self) -> Scraper:
        return Scraper(self.site, self.clock)

    def ask(self, path: str, *headers: bytes, method: str = "GET") -> Scraper:
        return self.connect().ask(path, *headers, method=method)


class AnswerTests(SiteCase):
    """What a client gets."""

    def test_get_is_answered_whole_and_the_connection_ends(self) -> None:
        scraper = self.ask("/metrics")
        self.assertEqual(scraper.status, 200)
        self.assertIn(b"lars_modules 3.0\n", scraper.body)
        self.assertEqual(scraper.headers["content-length"], str(len(scraper.body)))
        self.assertEqual(scraper.headers["connection"], "close")
        self.assertTrue(scraper.gone)

    def test_content_type_follows_the_accept_headers_all_of_them(self) -> None:
        self.assertTrue(self.ask("/metrics").headers["content-type"].startswith("text/plain; version=0.0.4"))
        scraper = self.ask("/metrics", b"Accept: text/html", b"Accept: application/openmetrics-text")
        self.assertTrue(scraper.headers["content-type"].startswith("application/openmetrics-text"))
        self.assertTrue(scraper.body.endswith(b"# EOF\n"))

    def test_head_gets_the_headers_of_get_alone(self) -> None:
        get, head = self.ask("/metrics"), self.ask("/metrics", method="HEAD")
        self.assertEqual(head.body, b"")
        self.assertEqual((head.status, head.headers["content-length"]), (200, str(len(get.body))))

    def test_a_query_changes_nothing(self) -> None:
        self.assertEqual(self.ask("/readyz?verbose&x=%ff").body, b"ready\n")

    def test_not_ready_is_503_with_the_reason(self) -> None:
        self.reason = "no routes yet"
        scraper = self.ask("/readyz")
        self.assertEqual((scraper.status, scraper.body), (503, b"no routes yet\n"))

    def test_unknown_path_and_wrong_method_are_told_in_plain_text(self) -> None:
        unknown, wrong = self.ask("/etc/passwd"), self.ask("/metrics", method="DELETE")
        self.assertEqual((unknown.status, unknown.headers["content-type"]), (404, "text/plain; charset=utf-8"))
        self.assertEqual((wrong.status, wrong.headers["allow"]), (405, "GET, HEAD"))

    def test_a_bug_in_a_collector_is_500_and_logged_once_a_minute(self) -> None:
        self.registry.register(Broken())
        for _ in range(3):
            self.assertEqual(self.ask("/metrics").status, 500)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.ask("/healthz").status, 200)

    def test_answers_leave_no_line_in_the_log(self) -> None:
        for method in ("GET", "HEAD", "POST"):
            self.ask("/metrics", method=method)
        self.assertEqual(self.logged, [])


class BadClientTests(SiteCase):
    """What a client cannot do."""

    def test_one_that_says_nothing_is_cut_at_the_deadline(self) -> None:
        scraper = self.connect()
        self.clock.advance(LIFETIME - 0.1)
        self.assertFalse(scraper.gone)
        self.clock.pump([0.1, 0])
        self.assertTrue(scraper.gone)

    def test_one_that_drips_is_cut_at_the_same_deadline(self) -> None:
        for request in (
            b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 200,
            b"POST / HTTP/1.1\r\nContent-Length: 999\r\n\r\n",
        ):
            scraper = self.connect()
            scraper.send(request)
            for _ in range(int(LIFETIME)):
                self.clock.advance(1)
                scraper.send(b"x")
            self.assertTrue(scraper.gone)
            self.assertEqual(scraper.value(), b"")

    def test_one_that_does_not_read_is_cut_at_the_deadline(self) -> None:
        scraper = self.connect()
        scraper.loseConnection = lambda: None  # type: ignore[method-assign]  # waits for the client to read
        scraper.abortConnection = scraper.leave  # type: ignore[method-assign]
        scraper.ask("/metrics")
        self.assertFalse(scraper.gone)
        self.clock.advance(LIFETIME)
        self.assertTrue(scraper.gone)

    def test_pipelined_requests_are_not_answered(self) -> None:
        scraper = self.connect()
        scraper.send(b"GET /healthz HTTP/1.1\r\n\r\n" * 1000)
        self.assertEqual(scraper.value().count(b"HTTP/1.1"), 1)

    def test_a_body_is_read_and_dropped(self) -> None:
        scraper = self.connect()
        scraper.send(b"POST /metrics HTTP/1.1\r\nContent-Type: multipart/form-data\r\nContent-Length: 1000000\r\n\r\n")
        for _ in range(1000):
            scraper.send(b"x" * 1000)
        self.assertEqual(scraper.status, 405)
        chunked = self.connect()
        chunked.send(b"GET /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        [channel] = self.site.channels
        for _ in range(1000):
            chunked.send(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
        self.assertEqual(channel.requests[0].content.getvalue(), b"")
        chunked.send(b"0\r\n\r\n")
        self.assertEqual(chunked.status, 200)

    def test_too_long_a_request_is_refused_before_its_end(self) -> None:
        for request in (b"GET /" + b"x" * 50_000, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000):
            scraper = self.connect()
            scraper.send(request)
            self.assertTrue(scraper.gone)

    def test_connections_above_the_limit_are_closed_and_told_of_once(self) -> None:
        scrapers = [self.connect() for _ in range(MAX_CONNECTIONS)]
        self.assertTrue(self.connect().refused)
        self.assertTrue(self.connect().refused)
        self.assertEqual(len(self.logged), 1)
        scrapers[0].leave()
        self.assertEqual(self.ask("/healthz").status, 200)

    @given(
        st.lists(st.binary(max_size=50) | st.sampled_from([b"GET ", b"/metrics", b" HTTP/1.1", b"\r\n", b"\r\n\r\n"]))
    )
    def test_garbage_is_refused_or_waited_for_and_logs_nothing(self, pieces: list[bytes]) -> None:
        scraper = self.connect()
        for piece in pieces:
            scraper.send(piece)
        self.assertIn(scraper.status, (0, 200, 400, 404, 405))
        self.clock.pump([LIFETIME, 0])
        self.assertTrue(scraper.gone)
        self.assertEqual(self.logged, [])

    @given(st.binary(max_size=100), st.binary(max_size=100))
    def test_garbage_in_a_request_is_answered(self, path: bytes, header: bytes) -> None:
        scraper = self.connect()
        scraper.send(b"GET /metrics?" + path + b" HTTP/1.1\r\nAccept: " + header + b"\r\n\r\n")
        self.assertIn(scraper.status, (0, 200, 400, 404))
        self.assertEqual(self.logged, [])
        self.clock.pump([LIFETIME, 0])


class DropAllTests(SiteCase):
    """The end of a site."""

    def test_drop_all_ends_every_connection_and_then_returns(self) -> None:
        scrapers = [self.connect(), self.connect()]
        scrapers[0].send(b"GET /met")
        dropped = Deferred.fromCoroutine(self.site.drop_all())
        self.assertNoResult(dropped)
        self.clock.advance(0)
        self.successResultOf(dropped)
        self.assertTrue(all(scraper.gone for scraper in scrapers))

    def test_drop_all_returns_at_once_when_nobody_is_there(self) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.site.drop_all()))
