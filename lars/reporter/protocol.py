"""An agent's connection to lars-reporter: reports in, acknowledgements out.

See docs/design/reporter.md, acknowledgements.
"""

import secrets
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from lars.db.report_rows import Run
from lars.errors import LarsError
from lars.reporter.agent_run import AgentRun
from lars.reporter.aggregate import add_up, check, timestamp
from lars.reporter.backpressure import Backpressure
from lars.reporter.counter_deltas import CounterDeltas
from lars.reporter.writer import Batch
from lars.wire.lars_pb2 import ReportStatusAck, ReportStatusRequest
from lars.wire.messages import MessageId
from lars.wire.protocol import FrameFactory, FrameProtocol, Limits


class ReportServerProtocol(FrameProtocol):
    """One agent. `run` is what its last report belongs to.

    A C++ agent does not say which of its runs a report belongs to, so each of its connections is taken for one, and
    its reports are numbered here: what was derived from its counters is then counted once whatever the database does.
    """

    factory: "ReportServerFactory"

    def __init__(self) -> None:
        super().__init__()
        self.run: AgentRun | None = None
        self.counters: CounterDeltas
        self._legacy_boot = 0
        self._legacy_seq = 0

    def peer_connected(self) -> None:
        self.counters = CounterDeltas(self.factory.clock.seconds())
        if self.factory.backpressure.is_full:
            self.factory.pause(self)

    def peer_lost(self, reason: Failure) -> None:
        self.factory.detach(self)

    def on_report(self, request: ReportStatusRequest) -> None:
        try:
            check(request)
        except LarsError as error:
            self.factory.count_malformed(self, error)
            return
        caller, boot, seq = request.caller, request.boot, request.seq
        if not boot:
            boot, seq = self._legacy_number()
        run = self.run
        if run is None or run.boot != boot or run.caller != caller:
            run = self.run = self.factory.attach(self, caller, boot, 0 if boot == self._legacy_boot else None)
            if boot != self._legacy_boot:
                self.acknowledge(run)  # at once, which tells the agent what kind of peer this is
        self.factory.take(self, run, seq, request)

    def _legacy_number(self) -> tuple[int, int]:
        self._legacy_boot = self._legacy_boot or secrets.randbits(64) | 1
        self._legacy_seq += 1
        return self._legacy_boot, self._legacy_seq

    def acknowledge(self, run: AgentRun) -> None:
        """Tells the agent up to which of its reports all are committed; a C++ one knows no such message."""
        if run.boot != self._legacy_boot:
            self.send(MessageId.REPORT_STATUS_ACK, ReportStatusAck(boot=run.boot, seq=run.committed))

    receivers = {MessageId.REPORT_STATUS_REQUEST: on_report}


class ReportServerFactory(FrameFactory):
    """All agents' connections, what of their reports waits, and who of them has to wait.

    `add` is told of each run of which something waits, and how many rows more than before.
    """

    protocol = ReportServerProtocol

    def __init__(
        self,
        clock: IReactorTime,
        wall_clock: Callable[[], float],
        limits: Limits,
        backpressure: Backpressure,
        add: Callable[[AgentRun, int], None],
    ) -> None:
        super().__init__(clock, limits)
        self.backpressure = backpressure
        self.paused: set[ReportServerProtocol] = set()
        self.reports = 0
        self.results = 0
        self.repeated = 0
        self.skipped = 0
        self.misdated = 0
        self.overtaken = 0
        self._add = add
        self._wall_clock = wall_clock
        self._runs: dict[Run, AgentRun] = {}
        self._connection_of: dict[Run, ReportServerProtocol] = {}
        self._stopping = False

    def attach(self, connection: ReportServerProtocol, caller: int, boot: int, cursor: int | None) -> AgentRun:
        """A connection has begun to send reports of a run; `cursor` is what is known of it if it is new here."""
        self.detach(connection)
        run = self._runs.get((caller, boot))
        if run is None:
            run = self._runs[caller, boot] = AgentRun(caller, boot, cursor)
        run.connected = True
        self._connection_of[run.key] = connection
        return run

    def detach(self, connection: ReportServerProtocol) -> None:
        """A connection is gone, or sends of another run; its agent will say on the next one what it was not told."""
        self.paused.discard(connection)
        run = connection.run
        if run is not None and self._connection_of.get(run.key) is connection:
            del self._connection_of[run.key]
            run.connected = False
            self._forget_idle(run)

    def _forget_idle(self, run: AgentRun) -> None:
        if not run.connected and not run.rows:
            self._runs.pop(run.key, None)

    def take(self, connection: ReportServerProtocol, run: AgentRun, seq: int, request: ReportStatusRequest) -> None:
        """Adds a report to what waits, unless it is here already."""
        self.reports += 1
        group = run.group_for(seq)
        if group is None:
            self.repeated += 1
            if seq <= run.committed:
                connection.acknowledge(run)
            return
        now = self._wall_clock()
        ts = timestamp(request.ts, now)
        self.misdated += ts != request.ts
        connection.counters.age(self.clock.seconds())
        taken = add_up(request, ts, group.rows, connection.counters)
        self.results += len(request.results)
        self.skipped += taken.skipped
        rows = taken.new_rows + (group.first == seq)
        run.rows += rows
        self.backpressure.rows += rows
        if self.backpressure.must_wait(run.rows):
            self.pause(connection)
        self._add(run, rows)

    def pause(self, connection: ReportServerProtocol) -> None:
        """Stops reading from an agent, which keeps its reports meanwhile."""
        if connection not in self.paused:
            self.paused.add(connection)
            connection.pause_reading()

    def relieve(self) -> None:
        """Reads again from those who may send again; called by timer."""
        if self._stopping:
            return
        for connection in tuple(self.paused):
            if self.backpressure.may_resume(connection.run.rows if connection.run else 0):
                self.paused.discard(connection)
                connection.resume_reading()

    def stop_reading(self) -> None:
        """Takes no more reports from anyone."""
        self._stopping = True
        for connection in tuple(self.connections):
            assert isinstance(connection, ReportServerProtocol)
            self.pause(connection)

    def written(self, batch: Batch) -> None:
        """Acknowledges what a commit has brought to the agents that are connected.

        One of which another reporter has taken over a part is cut off: it asks on its next connection how far all is
        committed, and sends the rest again.
        """
        self.backpressure.rows -= batch.released
        for share in batch.shares:
            run = share.run
            connection = self._connection_of.get(run.key)
            if run.key in batch.committed.overtaken:
                self.overtaken += 1
                if connection is not None:
                    connection.end()
            elif connection is not None:
                connection.acknowledge(run)
            self._forget_idle(run)
