"""The metrics of lars-dns, read from what it keeps anyway when Prometheus asks."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lars.db.clock import DatabaseClock
from lars.dns.protocol import RouteServerFactory
from lars.dns.watcher import RouteWatcher
from lars.runtime.admission import Admission


def push_latency(registry: CollectorRegistry) -> Histogram:
    """From noticing a change to its last frame written."""
    return Histogram(
        "lars_dns_push_seconds",
        "From noticing a change to having written it to every subscriber that reads",
        registry=registry,
        buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    )


class DnsMetrics(Collector):
    """Counters and gauges of one lars-dns; `now` is the reactor's clock in seconds."""

    def __init__(
        self,
        factory: RouteServerFactory,
        admission: Admission,
        watcher: RouteWatcher,
        now: Callable[[], float],
        clock: DatabaseClock,
    ) -> None:
        self._factory = factory
        self._admission = admission
        self._watcher = watcher
        self._now = now
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        factory, watcher, table = self._factory, self._watcher, self._factory.table
        yield GaugeMetricFamily("lars_dns_modules", "Modules that have hosts", len(table))
        yield GaugeMetricFamily("lars_dns_routes", "Hosts of all modules", table.hosts)
        yield GaugeMetricFamily("lars_dns_route_version", "Route version that is served", table.version)
        yield GaugeMetricFamily("lars_dns_connections", "Connections open", len(factory.connections))
        yield GaugeMetricFamily("lars_dns_subscriptions", "Pairs of connection and module", len(factory.subscriptions))
        yield CounterMetricFamily("lars_dns_requests", "Routes asked for", factory.requests)
        yield CounterMetricFamily(
            "lars_dns_unsubscribed_requests", "Of these, without a subscription, over a limit", factory.unsubscribed
        )
        yield CounterMetricFamily("lars_dns_pushes", "Changed routes owed to subscribers", factory.pushes)
        yield GaugeMetricFamily(
            "lars_dns_poll_seconds", "How long the last look at the database took", watcher.poll_seconds
        )
        failures = CounterMetricFamily("lars_dns_database_failures", "Queries that failed", labels=["query"])
        failures.add_metric(["look"], watcher.look_faults.count)
        failures.add_metric(["check"], watcher.check_faults.count)
        yield failures
        if watcher.checked_at is not None:
            age = self._now() - watcher.checked_at
            yield GaugeMetricFamily("lars_dns_table_age_seconds", "Time since all routes were last checked", age)
        yield GaugeMetricFamily(
            "lars_dns_clock_skew_seconds", "How far this machine's clock is ahead of the database's", self._clock.skew
        )
        counters = factory.counters
        dropped = CounterMetricFamily(
            "lars_dns_dropped_connections", "Connections that lars-dns closed", labels=["reason"]
        )
        for reason, count in {**counters.dropped(), **self._admission.dropped()}.items():
            dropped.add_metric([reason], count)
        yield dropped
        skipped = CounterMetricFamily("lars_dns_skipped_messages", "Messages skipped", labels=["reason"])
        skipped.add_metric(["malformed"], counters.malformed)
        skipped.add_metric(["unknown"], counters.unknown)
        yield skipped
