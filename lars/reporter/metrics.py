"""The metrics of lars-reporter. Those that other objects count are read at each scrape."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lars.db.clock import DatabaseClock
from lars.db.faults import DatabaseFaults
from lars.metrics.registry import labelled_counter
from lars.reporter.alarms.evaluator import AlarmEvaluator
from lars.reporter.protocol import ReportServerFactory
from lars.reporter.pruning import ReportPruner
from lars.reporter.writer import Batch
from lars.runtime.admission import Admission

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.5, 2.5, 5, 10, 60)


TABLES = ("ServerCallStatus", "ServerCallHistory", "CallerHost", "CallerRoute", "AgentInfo")
"""The tables whose written rows are counted."""


class WriteMetrics:
    """How long transactions take, and what they wrote."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.batches = 0
        self.rows = dict.fromkeys(TABLES, 0)
        self.refused = 0
        self._age = Histogram(
            "lars_reporter_commit_age_seconds",
            "From the arrival of the oldest report of an agent in a commit to the commit",
            registry=registry,
            buckets=_SECONDS,
        )
        self._commit = Histogram(
            "lars_reporter_commit_seconds", "How long a transaction took", registry=registry, buckets=_SECONDS
        )

    def written(self, batch: Batch) -> None:
        """Counts a committed transaction."""
        self.batches += 1
        self.refused += len(batch.committed.refused)
        for table, rows in batch.committed.rows.items():
            self.rows[table] += rows
        self._commit.observe(batch.ended - batch.began)
        for share in batch.shares:
            self._age.observe(batch.ended - share.since)


class ReporterMetrics(Collector):
    """Counters and gauges of one lars-reporter."""

    def __init__(
        self,
        factory: ReportServerFactory,
        admission: Admission,
        writes: WriteMetrics,
        faults: DatabaseFaults,
        pruner: ReportPruner,
        alarms: AlarmEvaluator,
        clock: DatabaseClock,
    ) -> None:
        self._factory = factory
        self._admission = admission
        self._writes = writes
        self._faults = faults
        self._pruner = pruner
        self._alarms = alarms
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        factory, writes, backpressure = self._factory, self._writes, self._factory.backpressure
        yield GaugeMetricFamily("lars_reporter_connections", "Connections open", len(factory.connections))
        yield GaugeMetricFamily(
            "lars_reporter_paused_connections", "Connections paused by backpressure", len(factory.paused)
        )
        yield CounterMetricFamily("lars_reporter_views", "Messages of agents about hosts and themselves", factory.views)
        yield CounterMetricFamily(
            "lars_reporter_unproven_callers",
            "Callers that are not the address of the connection that reports for them, and are taken",
            factory.unproven_callers,
        )
        yield CounterMetricFamily(
            "lars_reporter_throttled_connections",
            "Times that a connection was paused for its rows in a minute",
            factory.throttled,
        )
        yield GaugeMetricFamily("lars_reporter_pending_rows", "Rows that wait to be committed", backpressure.rows)
        yield GaugeMetricFamily("lars_reporter_max_pending_rows", "Rows that may wait", backpressure.limit)
        yield CounterMetricFamily("lars_reporter_reports", "Reports received", factory.reports)
        yield CounterMetricFamily("lars_reporter_results", "Results in reports that are not repeats", factory.results)
        yield CounterMetricFamily("lars_reporter_repeated_reports", "Reports received again", factory.repeated)
        yield CounterMetricFamily(
            "lars_reporter_misdated_reports", "Reports dated more than an hour off", factory.misdated
        )
        yield GaugeMetricFamily(
            "lars_reporter_skewed_agents", "Agents whose clock is over 5 s off", len(factory.skews.seconds)
        )
        yield GaugeMetricFamily(
            "lars_reporter_largest_agent_skew_seconds",
            "By how much the clock of an agent is off, at most",
            factory.skews.largest,
        )
        yield GaugeMetricFamily(
            "lars_reporter_clock_skew_seconds",
            "By how much the clock of this machine is ahead of the database's",
            self._clock.skew,
        )
        yield CounterMetricFamily(
            "lars_reporter_overtaken_runs",
            "Runs of agents that another reporter had committed further",
            factory.overtaken,
        )
        yield CounterMetricFamily("lars_reporter_transactions", "Transactions committed", writes.batches)
        yield labelled_counter("lars_reporter_written_rows", "Rows written", "table", writes.rows)
        yield CounterMetricFamily("lars_reporter_refused_rows", "Rows that the database refused", writes.refused)
        yield labelled_counter("lars_reporter_pruned_rows", "Old rows deleted", "table", self._pruner.pruned)
        yield labelled_counter(
            "lars_reporter_database_failures",
            "Transactions that failed",
            "work",
            {"store": self._faults.count, "alarms": self._alarms.faults.count},
        )
        yield GaugeMetricFamily("lars_reporter_alarms_raised", "Active alarms", self._alarms.active)
        yield labelled_counter(
            "lars_reporter_webhook_posts", "Posts to webhooks", "outcome", self._alarms.webhooks.outcomes
        )
        yield from self._dropped()

    def _dropped(self) -> Iterator[Metric]:
        counters = self._factory.counters
        yield labelled_counter(
            "lars_reporter_dropped_connections",
            "Connections closed by lars-reporter",
            "reason",
            {
                **counters.dropped(),
                **self._admission.dropped(),
                "many_callers": self._factory.many_callers,
                "refused_callers": self._factory.refused_callers,
            },
        )
        yield labelled_counter(
            "lars_reporter_skipped_messages",
            "Messages skipped",
            "reason",
            {"malformed": counters.malformed, "unknown": counters.unknown},
        )
        yield CounterMetricFamily(
            "lars_reporter_skipped_results", "Results with an invalid host", self._factory.skipped
        )
