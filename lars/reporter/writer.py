"""Batches reports into the database: gathered, one transaction a flush, acknowledged after the commit (design 9)."""

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger

from lars.db.engine import DatabaseError
from lars.db.reports import Cursors, Report, ReportStore
from lars.log_limit import LogLimit

_log = Logger()

MAX_BACKOFF = 10.0
"""Seconds between attempts at most while the database is away."""

Committed = Callable[[Cursors], None]


class ReportWriter:
    """One writer: all reports of one run of an agent go through the same one, in the order of their seq.

    A batch that fails is tried again, unchanged, until it is in; what arrives meanwhile waits behind it.
    """

    def __init__(
        self,
        store: ReportStore,
        reactor: Any,
        batch_rows: int,
        committed: Committed,
        wall_clock: Callable[[], float],
        limit: LogLimit,
    ) -> None:
        self._store = store
        self._reactor = reactor
        self._batch_rows = batch_rows
        self._committed = committed
        self._wall_clock = wall_clock
        self._limit = limit
        self._waiting: list[Report] = []
        self._flushing: Deferred[None] | None = None
        self._stopped = False
        self.pending_rows = 0
        """Rows that have arrived and are not committed."""

    def add(self, report: Report) -> None:
        """Takes a report; a full batch leaves at once."""
        self._waiting.append(report)
        self.pending_rows += rows_of(report)
        if self.pending_rows >= self._batch_rows:
            self.flush()

    def flush(self) -> None:
        """Starts writing what waits, if nothing is being written; called by timer."""
        if self._waiting and self._flushing is None:
            self._flushing = Deferred.fromCoroutine(self._write_all())

    async def _write_all(self) -> None:
        try:
            while self._waiting and not self._stopped:
                batch, self._waiting = self._waiting, []
                await self._write(batch)
        finally:
            self._flushing = None

    async def _write(self, batch: Sequence[Report]) -> None:
        failures = 0
        while not self._stopped:
            try:
                cursors = await self._store.commit(batch, self._wall_clock())
            except DatabaseError as error:
                failures += 1
                if self._limit.tell("fault"):
                    _log.warn("{error}; reports wait in memory, trying again", error=str(error))
                await deferLater(self._reactor, min(MAX_BACKOFF, 0.1 * 2 ** min(failures, 10)))
                continue
            if failures:
                self._limit.clear("fault")
                _log.info("the database takes reports again")
            self.pending_rows -= sum(map(rows_of, batch))
            self._committed(cursors)
            return

    async def drain(self, seconds: float) -> None:
        """Writes what is left, within a time; what is not committed by then was not acknowledged."""
        self.flush()
        deadline = self._reactor.seconds() + seconds
        while self._flushing is not None and self._reactor.seconds() < deadline:
            await deferLater(self._reactor, 0.02)
        self._stopped = True


def rows_of(report: Report) -> int:
    """How many rows a report touches at most, itself included."""
    return 1 + len(report.status) + len(report.calls)


class ReportWriters:
    """Several writers, each with its own share of the agents' runs."""

    def __init__(
        self,
        store: ReportStore,
        reactor: Any,
        count: int,
        batch_rows: int,
        committed: Committed,
        wall_clock: Callable[[], float],
    ) -> None:
        limit = LogLimit(reactor.seconds)
        self._writers = [ReportWriter(store, reactor, batch_rows, committed, wall_clock, limit) for _ in range(count)]
        self._loop = LoopingCall(self._flush)
        self._loop.clock = reactor

    @property
    def pending_rows(self) -> int:
        """Rows that have arrived and are not committed."""
        return sum(writer.pending_rows for writer in self._writers)

    def add(self, report: Report) -> None:
        """Gives the report to the writer of its run."""
        self._writers[hash(report.boot or report.caller) % len(self._writers)].add(report)

    def start(self, flush_interval: float) -> None:
        self._loop.start(flush_interval, now=False)

    def _flush(self) -> None:
        for writer in self._writers:
            writer.flush()

    async def drain(self, seconds: float) -> None:
        """Ends the timer and writes what is left, within a time."""
        if self._loop.running:
            self._loop.stop()
        for draining in [Deferred.fromCoroutine(writer.drain(seconds)) for writer in self._writers]:
            await draining
