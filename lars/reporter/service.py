"""lars-reporter as one Twisted service."""

import time
from collections.abc import Callable

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger

from lars.db.alarms import AlarmStore
from lars.db.clock import DatabaseClock
from lars.db.database import Database
from lars.db.engine import DatabaseError
from lars.db.faults import DatabaseFaults
from lars.db.measurements import Measurements
from lars.db.report_pruning import ReportPruning
from lars.db.report_writes import ReportWrites
from lars.metrics.certificates import CertificateMetrics
from lars.metrics.endpoint import MetricsEndpoint
from lars.metrics.registry import new_registry
from lars.reporter.alarms.evaluator import AlarmEvaluator
from lars.reporter.alarms.webhook import Webhooks
from lars.reporter.backpressure import Backpressure
from lars.reporter.caller_rule import CallerRule
from lars.reporter.metrics import ReporterMetrics, WriteMetrics
from lars.reporter.pace import PaceLimits
from lars.reporter.protocol import ReportServerFactory
from lars.reporter.pruning import ReportPruner
from lars.reporter.settings import ReporterSettings
from lars.reporter.writer import Batch, ReportWriter, ReportWriters
from lars.runtime.admission import admission_to
from lars.runtime.listening import listen, stop_listening
from lars.runtime.log_limit import LogLimit
from lars.runtime.periodic import Periodic
from lars.runtime.reactor import IReactor
from lars.runtime.reloading import Reloading
from lars.runtime.service import AsyncService
from lars.runtime.turns import at_most
from lars.wire.factory import Limits
from lars.wording import counted

_log = Logger()

DRAIN = 2.0
"""Seconds for which a stopping reporter writes what is pending, and leaves its alarm rules to others."""

CLOCK_TIMEOUT = 2.0
"""Seconds that a starting reporter waits for the database's clock."""

RESUME_INTERVAL = 0.1
"""Seconds between two checks of which paused agents may send again."""

LOOK_INTERVAL = 3.0
"""Seconds between two looks for the tables, until they are there."""

DAY = 86_400.0


class ReporterService(AsyncService):
    """Receives reports, writes them in batches, acknowledges what is committed, and evaluates alarm rules.

    Args:
        settings: the service's settings.
        database: with `settings.threads` threads; this object closes it.
        reactor: the reactor.
        wall_clock: returns Unix seconds.

    Attributes:
        port: the listening port, None until it is open.
    """

    name = "lars-reporter"

    def __init__(
        self,
        settings: ReporterSettings,
        database: Database,
        reactor: IReactor,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(reactor)
        self._settings = settings
        self._database = database
        self._clock = DatabaseClock(database, reactor, wall_clock)
        now = self._clock.now
        self._faults = DatabaseFaults(reactor, 0.1, self._meanwhile)
        self._missing_tables = ""  # what the look for the tables has found
        writes = ReportWrites(database)
        self._writers = ReportWriters(
            [
                ReportWriter(writes, reactor, settings.batch_rows, self._faults, now, self._written)
                for _ in range(settings.db_thread_cnt)
            ],
            settings.flush_interval,
            reactor,
        )
        limits = Limits(
            settings.max_connections, settings.idle_timeout, settings.stall_timeout, settings.max_per_address
        )
        self._admission = admission_to(self.name, reactor, settings, wall_clock)
        pace_limits = PaceLimits(settings.max_rows_per_minute, settings.max_callers)
        backpressure = Backpressure(settings.max_pending_rows)
        self.factory = ReportServerFactory(
            reactor,
            now,
            limits,
            backpressure,
            self._writers.add,
            pace_limits,
            CallerRule(settings.allow_callers),
            self._admission,
        )
        self._first_look = Periodic("looking for the tables", LOOK_INTERVAL, self._look_for_tables, reactor)
        self._resumes = Periodic("resuming of paused agents", RESUME_INTERVAL, self.factory.resume_paused, reactor)
        self._pruner = ReportPruner(ReportPruning(database), settings.history_days * DAY, reactor, now)
        alarms = AlarmStore(database)
        webhooks = Webhooks(alarms, reactor, now, settings.console_url)
        self._alarms = AlarmEvaluator(
            settings.rules,
            settings.alarm_interval,
            alarms,
            Measurements(database),
            webhooks,
            reactor,
            lambda: not self._faults.text,
        )
        self._log_limit = LogLimit(reactor.seconds)
        registry = new_registry("lars-reporter")
        self._write_metrics = WriteMetrics(registry)
        metrics = ReporterMetrics(
            self.factory, self._admission, self._write_metrics, self._faults, self._pruner, self._alarms, self._clock
        )
        registry.register(metrics)
        registry.register(CertificateMetrics(self._admission.tls))
        self._metrics = MetricsEndpoint(reactor, settings.metrics, registry, self._not_ready)
        self._reloading = Reloading(reactor, self._admission.reloads)
        self.port: IListeningPort | None = None

    async def start(self) -> None:
        self._first_look.start(now=True)
        await self._metrics.start()
        await self._read_clock()
        guarded = self._admission.guarded(self.factory)
        self.port = await listen(self.reactor, self._settings.listen, guarded, self._settings.max_connections)
        self._writers.start()
        self._resumes.start()
        self._pruner.start()
        self._alarms.start()
        self._clock.start()
        _log.info("lars-reporter answers on {place}", place=self._settings.listen)
        self._admission.listens(self.port)
        self._reloading.start()

    async def _read_clock(self) -> None:
        """Waits for the database's clock, but not long: reports are taken without the database too."""
        reading = Deferred.fromCoroutine(self._clock.read())
        try:
            await reading.addTimeout(CLOCK_TIMEOUT, self.reactor)
        except TimeoutError:
            _log.info("the database's clock is not known yet: the clock of this machine is used until it is")

    def _written(self, batch: Batch) -> None:
        self.factory.written(batch)
        self._write_metrics.written(batch)
        refused = batch.committed.refused
        if refused and (times := self._log_limit.admit("refused row")):
            _log.error(
                "the database refuses a row, which is dropped: {row} ({count} in this transaction, {times} such "
                "transactions since the last line)",
                row=refused[0],
                count=len(refused),
                times=times,
            )

    async def _look_for_tables(self) -> None:
        """Reports a database without tables before the first report comes; ends once they have been seen."""
        try:
            await self._database.read(
                "look for the tables", lambda txn: txn.one("SELECT boot FROM ReportCursor LIMIT 1")
            )
        except DatabaseError as error:
            self._missing_tables = str(error)
            self._faults.failed(self._missing_tables, self.reactor.seconds())
            return
        if self._faults.text == self._missing_tables:  # not where writing fails meanwhile
            self._faults.worked()
        self._first_look.stop()

    def _meanwhile(self) -> str:
        return f"not acknowledged and in memory: {counted(self.factory.backpressure.rows, 'row')} of reports"

    def _not_ready(self) -> str:
        """Why agents should report elsewhere; empty when they should not."""
        if self.port is None:
            return "not listening yet"
        if expired := self._admission.fault():
            return expired
        if self._faults.text:
            return f"reports cannot be written: {self._faults.text}"
        if self.factory.backpressure.is_full:
            return f"{self.factory.backpressure.rows} rows wait to be written, the limit: agents are paused"
        return ""

    async def stop(self) -> None:
        await stop_listening(self.port)
        await self._reloading.stop()
        await self._resumes.stop()
        self.factory.stop_reading()
        alarms_ended = Deferred.fromCoroutine(self._alarms.stop())
        clock_ended = Deferred.fromCoroutine(self._clock.stop())
        look_ended = self._first_look.stop()
        pruner_ended = Deferred.fromCoroutine(self._pruner.stop())
        deadline = self.reactor.seconds() + DRAIN
        await self._writers.drain(DRAIN)
        await at_most(self.reactor, max(0.0, deadline - self.reactor.seconds()), alarms_ended)
        await self.factory.close_connections()
        self._database.close()  # cancels the transactions under way
        await self._writers.ended()
        await alarms_ended
        await pruner_ended
        await clock_ended
        await look_ended
        await self._metrics.stop()
