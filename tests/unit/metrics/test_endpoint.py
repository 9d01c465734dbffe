"""The endpoint: opened where it is told to be, or not at all, and closed with all that hangs on it."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from lars.metrics.endpoint import MetricsEndpoint
from lars.metrics.registry import new_registry
from tests.unit.metrics.scraper import Scraper


class EndpointTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.registry = new_registry("lars-dns")

    def opened(self, place: str) -> MetricsEndpoint:
        endpoint = MetricsEndpoint(self.reactor, place, self.registry, lambda: "no table yet")
        self.successResultOf(Deferred.fromCoroutine(endpoint.start()))
        return endpoint

    def measured(self) -> float | None:
        return self.registry.get_sample_value("lars_reactor_lag_seconds_count")

    def test_without_a_place_nothing_is_opened_or_measured(self) -> None:
        endpoint = self.opened("")
        self.assertEqual((self.reactor.tcpServers, self.reactor.getDelayedCalls()), ([], []))
        self.assertIsNone(self.measured())
        self.successResultOf(Deferred.fromCoroutine(endpoint.stop()))

    def test_with_a_place_it_listens_there_and_measures_the_lag(self) -> None:
        self.opened("tcp:9101:interface=127.0.0.1")
        [(port, site, _backlog, interface)] = self.reactor.tcpServers
        self.assertEqual((port, interface), (9101, "127.0.0.1"))
        self.assertEqual(Scraper(site, self.reactor).ask("/readyz").body, b"no table yet\n")
        self.reactor.pump([0.02] * 3)
        self.assertEqual(self.measured(), 3)

    def test_stop_ends_connections_and_measuring_and_start_begins_anew(self) -> None:
        endpoint = self.opened("tcp:9101")
        [(_port, site, _backlog, _interface)] = self.reactor.tcpServers
        scraper = Scraper(site, self.reactor)
        stopped = Deferred.fromCoroutine(endpoint.stop())
        self.reactor.advance(0)
        self.successResultOf(stopped)
        self.assertTrue(scraper.gone)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.successResultOf(Deferred.fromCoroutine(endpoint.stop()))
        self.successResultOf(Deferred.fromCoroutine(endpoint.start()))
        self.assertEqual(len(self.reactor.tcpServers), 2)
