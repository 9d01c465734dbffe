"""The metrics of lars-reporter: each has the value that its owner counts."""

from typing import cast

from prometheus_client import CollectorRegistry
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from lars.db.alarms import AlarmStore
from lars.db.clock import DatabaseClock
from lars.db.faults import DatabaseFaults
from lars.db.measurements import Measurements
from lars.db.report_pruning import ReportPruning
from lars.db.report_writes import Committed
from lars.reporter.agent_run import AgentRun
from lars.reporter.alarms.evaluator import AlarmEvaluator
from lars.reporter.alarms.webhook import Webhooks
from lars.reporter.backpressure import Backpressure
from lars.reporter.metrics import ReporterMetrics, WriteMetrics
from lars.reporter.protocol import ReportServerFactory
from lars.reporter.pruning import ReportPruner
from lars.reporter.writer import Batch, Share
from lars.runtime.admission import Admission
from lars.runtime.reactor import IReactor
from lars.wire.factory import Limits
from lars.wire.messages import MessageId, encode_message
from tests.unit.reporter.reports import report


class ReporterMetricsTests(SynchronousTestCase):
    def setUp(self) -> None:
        clock = Clock()
        self.registry = CollectorRegistry()
        self.writes = WriteMetrics(self.registry)
        self.faults = DatabaseFaults(clock, 1.0, lambda: "waiting")
        self.pruner = ReportPruner(cast(ReportPruning, None), 1.0, clock, lambda: 0.0)
        store = cast(AlarmStore, None)
        self.webhooks = Webhooks(store, cast(IReactor, clock), lambda: 0.0)
        self.alarms = AlarmEvaluator((), 1.0, store, cast(Measurements, None), self.webhooks, clock, lambda: True)
        self.clock = DatabaseClock(None, clock, lambda: 107.0)
        self.factory = ReportServerFactory(
            clock, lambda: 1_795_362_600.0, Limits(), Backpressure(1000), lambda run, rows: None
        )
        self.registry.register(
            ReporterMetrics(
                self.factory,
                Admission("lars-reporter", clock),
                self.writes,
                self.faults,
                self.pruner,
                self.alarms,
                self.clock,
            )
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"lars_reporter_{name}", labels)

    def test_reports_and_pending_rows_are_those_of_the_factory(self) -> None:
        protocol = self.factory.buildProtocol(None)
        assert protocol is not None
        protocol.makeConnection(StringTransport())
        request = report((10, 80, 5, 2, False), (0, 80, 1, 0, False))
        for _ in range(2):
            protocol.dataReceived(encode_message(MessageId.REPORT_STATUS_REQUEST, request))
        names = ("connections", "pending_rows", "max_pending_rows", "reports_total", "results_total")
        self.assertEqual([self.value(name) for name in names], [1, 3, 1000, 2, 2])
        self.assertEqual((self.value("repeated_reports_total"), self.value("skipped_results_total")), (1, 1))

    def test_clocks_that_are_off_are_shown(self) -> None:
        self.clock.observe(100.0, 0.0, 0.0)
        for caller, skew in ((1, 600), (2, -700), (3, 4)):
            self.factory.skews.observe(caller, skew, 0.0)
        names = ("skewed_agents", "largest_agent_skew_seconds", "clock_skew_seconds")
        self.assertEqual([self.value(name) for name in names], [2, 700, 7])

    def test_commits_are_counted_and_timed(self) -> None:
        rows = {"ServerCallStatus": 3, "ServerCallHistory": 2}
        shares = [Share(AgentRun(9, boot), [], 5, since) for boot, since in ((1, 9.0), (2, 10.0))]
        self.writes.written(Batch(shares, Committed({}, rows=rows, refused=["a row"]), 10, began=11.0, ended=12.0))
        self.assertEqual((self.value("transactions_total"), self.value("refused_rows_total")), (1, 1))
        self.assertEqual([self.value("written_rows_total", table=table) for table in rows], [3, 2])
        self.assertEqual([self.value("commit_seconds_count"), self.value("commit_seconds_sum")], [1, 1])
        self.assertEqual([self.value("commit_age_seconds_count"), self.value("commit_age_seconds_sum")], [2, 5])

    def test_faults_prunings_and_posts_are_labeled(self) -> None:
        self.alarms.faults.failed("db: gone", 0)
        self.pruner.pruned["Alarm"] += 4
        self.webhooks.outcomes["given_up"] += 1
        self.assertEqual([self.value("database_failures_total", work=work) for work in ("store", "alarms")], [0, 1])
        self.assertEqual(self.value("pruned_rows_total", table="Alarm"), 4)
        self.assertEqual(self.value("webhook_posts_total", outcome="given_up"), 1)
        self.assertEqual(self.value("alarms_raised"), 0)
