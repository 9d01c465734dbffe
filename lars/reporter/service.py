"""lars-reporter as one Twisted service."""

import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from lars.db.database import Database
from lars.db.reports import ReportStore
from lars.listening import listen, stop_listening
from lars.reporter.protocol import ReportServerFactory
from lars.reporter.settings import ReporterSettings
from lars.reporter.writer import ReportWriters
from lars.service import AsyncService
from lars.wire.protocol import Limits

_log = Logger()

DRAIN = 3.0
"""Seconds that a stopping reporter writes what is left."""


class ReporterService(AsyncService):
    """Takes reports, writes them in batches, acknowledges what is committed."""

    name = "lars-reporter"

    def __init__(
        self,
        settings: ReporterSettings,
        database: Database,
        reactor: Any,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(reactor)
        self._settings = settings
        self._database = database
        self.factory = ReportServerFactory(reactor, wall_clock, Limits(settings.max_connections))
        self.writers = ReportWriters(
            ReportStore(database),
            reactor,
            settings.db_thread_cnt,
            settings.batch_rows,
            self.factory.committed,
            wall_clock,
        )
        self.factory.add = self.writers.add
        self.port: IListeningPort | None = None
        self._watch = LoopingCall(self._watch_memory)
        self._watch.clock = reactor

    async def start(self) -> None:
        self.port = await listen(self.reactor, self._settings.listen, self.factory)
        self.writers.start(self._settings.flush_interval)
        self._watch.start(0.1, now=False)
        _log.info("lars-reporter answers on {place}", place=self._settings.listen)

    def _watch_memory(self) -> None:
        """Pauses reading while too much waits for the database, and resumes when half of it has gone."""
        pending, most = self.writers.pending_rows, self._settings.max_pending_rows
        if pending > most and not self.factory.paused:
            _log.warn("{pending} rows wait for the database: reading from agents pauses", pending=pending)
            self.factory.pause(True)
        elif pending < most / 2 and self.factory.paused:
            _log.info("{pending} rows wait for the database: reading from agents resumes", pending=pending)
            self.factory.pause(False)

    async def stop(self) -> None:
        await stop_listening(self.port)
        if self._watch.running:
            self._watch.stop()
        self.factory.pause(True)
        await Deferred.fromCoroutine(self.writers.drain(DRAIN))
        await self.factory.close_connections()
        self._database.close()
