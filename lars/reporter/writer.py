"""Writes pending reports into the database in batches: one transaction for the reports of many agents.

See docs/design/reporter.md, batches.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from lars.db.engine import DatabaseError
from lars.db.faults import DatabaseFaults
from lars.db.report_rows import Group, Seen
from lars.db.report_writes import Committed, ReportWrites
from lars.reporter.agent_run import AgentRun
from lars.runtime.periodic import Periodic

_log = Logger()

MAX_ROWS = 20_000
"""Rows in one transaction, unless a single run has more: it bounds how long locks are held and agents wait."""

POLL_INTERVAL = 0.05
"""Seconds between two checks of whether the database may be tried again."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one transaction writes of one run: `rows` rows, the first of which arrived at `since` (reactor seconds)."""

    run: AgentRun
    groups: list[Group]
    rows: int
    since: float
    seen: list[Seen] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction wrote, and its result. `began` and `ended` are in reactor seconds."""

    shares: Sequence[Share]
    committed: Committed
    released: int
    """Rows that are no longer pending."""
    began: float
    ended: float


class ReportWriter:
    """One writer. All reports of a run go through the same writer, in the order of their seq.

    A batch that fails is tried again, unchanged, until it is committed; reports that arrive in between are added up for
    the next one.

    Args:
        writes: the database.
        clock: the reactor, or a Clock in tests.
        batch_rows: pending rows at which a batch is written without waiting for `flush`.
        faults: shared by all writers.
        wall_clock: returns Unix seconds.
        written: called after each commit.
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
        self._pending: dict[AgentRun, float] = {}  # run -> since when it has pending reports, in reactor seconds
        self._pending_rows = 0
        self._writing: Deferred[None] | None = None
        self._stopped = False

    def add(self, run: AgentRun, rows: int) -> None:
        """Notes that a run has pending reports, with `rows` new rows; a full batch is written at once."""
        if run not in self._pending:
            self._pending[run] = self._clock.seconds()
        self._pending_rows += rows
        if self._pending_rows >= self._batch_rows:
            self.flush()

    def flush(self) -> None:
        """Starts to write what is pending, unless a batch is being written; called periodically."""
        if self._pending and not self._is_writing:
            self._writing = Deferred.fromCoroutine(self._write_all())

    @property
    def _is_writing(self) -> bool:
        return self._writing is not None and not self._writing.called

    async def _write_all(self) -> None:
        minimum = 0
        while self._pending and self._pending_rows >= minimum and not self._stopped:
            await self._write(self._next_shares())
            minimum = self._batch_rows  # fewer rows wait for the next flush: few large batches cost less than many

    def _next_shares(self) -> list[Share]:
        shares: list[Share] = []
        rows = 0
        for run, since in list(self._pending.items()):
            if shares and rows + run.rows > MAX_ROWS:
                break
            del self._pending[run]
            shares.append(Share(run, run.take_pending(), run.rows, since, run.take_seen()))
            rows += run.rows
        self._pending_rows -= rows
        return shares

    async def _write(self, shares: Sequence[Share]) -> None:
        groups = [group for share in shares for group in share.groups]
        seen = [one for share in shares for one in share.seen]
        while True:
            while not self._faults.may_try(self._clock.seconds()):
                await deferLater(self._clock, POLL_INTERVAL)
            if self._stopped:
                return
            began = self._clock.seconds()
            new = [share.run.key for share in shares if not share.run.cursor]
            try:
                committed = await self._writes.commit(groups, new, self._wall_clock(), seen)
            except DatabaseError as error:
                if not self._stopped:
                    self._faults.failed(str(error), self._clock.seconds())
                continue
            except Exception as error:  # a bug: the reports stay pending here, and their agents keep them
                text = f"store reports failed with {type(error).__name__}: {error}"
                if self._faults.failed(text, self._clock.seconds()):
                    _log.failure("store reports failed")
                continue
            self._faults.worked()
            released = sum(self._release(share, committed) for share in shares)
            self._written(Batch(shares, committed, released, began, self._clock.seconds()))
            return

    def _release(self, share: Share, committed: Committed) -> int:
        """Updates a run after a commit; returns how many of its rows are no longer pending."""
        run = share.run
        cursor = committed.cursors[run.key]
        if run.key not in committed.overtaken:
            run.commit(cursor, share.rows)
            return share.rows
        dropped = run.start_over(cursor)
        if self._pending.pop(run, None) is not None:
            self._pending_rows -= dropped - share.rows
        return dropped

    async def drain(self, deadline: float) -> None:
        """Writes what is pending until `deadline` (reactor seconds); the rest was not acknowledged."""
        while (self._pending or self._is_writing) and self._clock.seconds() < deadline:
            self.flush()
            await deferLater(self._clock, 0.02)
        self._stopped = True

    async def ended(self) -> None:
        """Returns when no transaction is under way; call it after the database is closed."""
        if self._writing is not None:
            await self._writing


class ReportWriters:
    """Several writers, each with its share of the runs, and their flush every `flush_interval` seconds."""

    def __init__(self, writers: Sequence[ReportWriter], flush_interval: float, clock: IReactorTime) -> None:
        self._writers = writers
        self._flushes = Periodic("flush of reports", flush_interval, self._flush, clock)
        self._clock = clock

    def add(self, run: AgentRun, rows: int) -> None:
        """Adds to the writer of this run (see ReportWriter.add)."""
        self._writers[run.boot % len(self._writers)].add(run, rows)

    def start(self) -> None:
        """Starts the flushes, the first one after an interval."""
        self._flushes.start()

    def _flush(self) -> None:
        for writer in self._writers:
            writer.flush()

    async def drain(self, seconds: float) -> None:
        """Stops the flushes and writes what is pending, for at most so many seconds."""
        await self._flushes.stop()
        deadline = self._clock.seconds() + seconds
        for draining in [Deferred.fromCoroutine(writer.drain(deadline)) for writer in self._writers]:
            await draining

    async def ended(self) -> None:
        """Returns when no transaction is under way; call it after the database is closed."""
        for writer in self._writers:
            await writer.ended()
