"""Writes what waits into the database: gathered, one transaction for many agents' reports.

See docs/design/reporter.md, batches.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from lars.db.engine import DatabaseError
from lars.db.faults import DatabaseFaults
from lars.db.report_rows import Group
from lars.db.report_writes import Committed, ReportWrites
from lars.reporter.agent_run import AgentRun
from lars.runtime.periodic import Periodic

_log = Logger()

MOST_ROWS = 20_000
"""Rows in one transaction, but for those of a single agent: its locks are held, and its agents wait, so long."""

RETRY_LOOK = 0.05
"""Seconds between two looks at whether the database may be tried again."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one transaction writes of one run: so many rows, the first of which arrived at `since` (reactor seconds)."""

    run: AgentRun
    groups: list[Group]
    rows: int
    since: float


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction wrote, and what came of it; the moments are those of the reactor, in seconds."""

    shares: Sequence[Share]
    committed: Committed
    released: int
    """Rows that wait no more."""
    began: float
    ended: float


class ReportWriter:
    """One writer: all reports of one run of an agent go through the same one, in the order of their seq.

    A batch that fails is tried again, unchanged, until it is in; what arrives meanwhile is added up behind it.
    """

    def __init__(
        self,
        writes: ReportWrites,
        clock: IReactorTime,
        batch_rows: int,
        faults: DatabaseFaults,
        wall_clock: Callable[[], float],
        written: Callable[[Batch], None],
    ) -> None:
        self._writes = writes
        self._clock = clock
        self._batch_rows = batch_rows
        self._faults = faults
        self._wall_clock = wall_clock
        self._written = written
        self._waiting: dict[AgentRun, float] = {}  # since when, of the runs of which something waits
        self._waiting_rows = 0
        self._writing: Deferred[None] | None = None
        self._stopped = False

    def add(self, run: AgentRun, rows: int) -> None:
        """Something of a run waits, so many rows more than before; a full batch leaves at once."""
        if run not in self._waiting:
            self._waiting[run] = self._clock.seconds()
        self._waiting_rows += rows
        if self._waiting_rows >= self._batch_rows:
            self.flush()

    def flush(self) -> None:
        """Starts writing what waits, if nothing is being written; called by timer."""
        if self._waiting and not self._is_writing:
            self._writing = Deferred.fromCoroutine(self._write_all())

    @property
    def _is_writing(self) -> bool:
        return self._writing is not None and not self._writing.called

    async def _write_all(self) -> None:
        least = 0
        while self._waiting and self._waiting_rows >= least and not self._stopped:
            await self._write(self._next_shares())
            least = self._batch_rows  # what is less waits for the timer: few large batches cost less than many

    def _next_shares(self) -> list[Share]:
        shares: list[Share] = []
        rows = 0
        for run, since in list(self._waiting.items()):
            if shares and rows + run.rows > MOST_ROWS:
                break
            del self._waiting[run]
            shares.append(Share(run, run.take_waiting(), run.rows, since))
            rows += run.rows
        self._waiting_rows -= rows
        return shares

    async def _write(self, shares: Sequence[Share]) -> None:
        groups = [group for share in shares for group in share.groups]
        while True:
            while not self._faults.may_try(self._clock.seconds()):
                await deferLater(self._clock, RETRY_LOOK)
            if self._stopped:
                return
            began = self._clock.seconds()
            new = [share.run.key for share in shares if share.run.cursor is None or share.run.cursor == 0]
            try:
                committed = await self._writes.commit(groups, new, self._wall_clock())
            except DatabaseError as error:
                if not self._stopped:
                    self._faults.failed(str(error), self._clock.seconds())
                continue
            except Exception as error:  # its reports stay where they are: here, and with their agents
                text = f"store reports met a bug, {type(error).__name__}: {error}"
                if self._faults.failed(text, self._clock.seconds()):
                    _log.failure("store reports met a bug")
                continue
            self._faults.worked()
            released = sum(self._release(share, committed) for share in shares)
            self._written(Batch(shares, committed, released, began, self._clock.seconds()))
            return

    def _release(self, share: Share, committed: Committed) -> int:
        """Notes how far a run is committed; how many of its rows wait no more."""
        run = share.run
        cursor = committed.cursors[run.key]
        if run.key not in committed.overtaken:
            run.commit(cursor, share.rows)
            return share.rows
        dropped = run.start_over(cursor)
        if self._waiting.pop(run, None) is not None:
            self._waiting_rows -= dropped - share.rows
        return dropped

    async def drain(self, deadline: float) -> None:
        """Writes what is left, until a moment (reactor seconds); what is not committed then was not acknowledged."""
        while (self._waiting or self._is_writing) and self._clock.seconds() < deadline:
            self.flush()
            await deferLater(self._clock, 0.02)
        self._stopped = True

    async def ended(self) -> None:
        """Returns when nothing is under way any more; the database is closed by then."""
        if self._writing is not None:
            await self._writing


class ReportWriters:
    """Several writers, each with its own share of the agents' runs."""

    def __init__(self, writers: Sequence[ReportWriter], flush_interval: float, clock: IReactorTime) -> None:
        self._writers = writers
        self._flushes = Periodic("the flush of reports", flush_interval, self._flush, clock)
        self._clock = clock

    def add(self, run: AgentRun, rows: int) -> None:
        """Something of a run waits: for the writer that has all of it."""
        self._writers[run.boot % len(self._writers)].add(run, rows)

    def start(self) -> None:
        """Starts the timer."""
        self._flushes.start()

    def _flush(self) -> None:
        for writer in self._writers:
            writer.flush()

    async def drain(self, seconds: float) -> None:
        """Ends the timer and writes what is left, within a time."""
        await self._flushes.stop()
        deadline = self._clock.seconds() + seconds
        for draining in [Deferred.fromCoroutine(writer.drain(deadline)) for writer in self._writers]:
            await draining

    async def ended(self) -> None:
        """Returns when no writer has anything under way; the database is closed by then."""
        for writer in self._writers:
            await writer.ended()
