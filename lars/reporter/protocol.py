"""An agent's connection to lars-reporter: reports in, acknowledgements out.

See docs/design/reporter.md, acknowledgements.
"""

import secrets
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from lars.db.report_rows import Run, Seen
from lars.errors import LarsError
from lars.reporter.agent_clock import MAX_AGE, happened_at
from lars.reporter.agent_run import AgentRun
from lars.reporter.aggregate import Malformed, add_report, check
from lars.reporter.backpressure import Backpressure
from lars.reporter.caller_rule import CallerRule, Claim
from lars.reporter.counter_deltas import CounterDeltas
from lars.reporter.pace import Pace, PaceLimits
from lars.reporter.seen import add_views
from lars.reporter.skewed_agents import SkewedAgents
from lars.reporter.writer import Batch
from lars.route import format_ip
from lars.runtime.admission import Admission
from lars.wire.factory import FrameFactory, Limits
from lars.wire.lars_pb2 import AgentViews, ReportStatusAck, ReportStatusRequest
from lars.wire.messages import MessageId
from lars.wire.served import ServedProtocol, heartbeat_receivers


class ReportServerProtocol(ServedProtocol):
    """One agent's connection.

    A C++ agent does not number its runs and reports. Each of its connections is treated as a run of its own, and its
    reports are numbered here, so that calls derived from its counters are counted once even if the database fails.

    Attributes:
        run: the run of the agent's last report, None before the first.
        counters: what the agent's counters were, if it is a C++ agent.
    """

    factory: "ReportServerFactory"
    kind = "lars-reporter"

    def __init__(self) -> None:
        super().__init__()
        self.run: AgentRun | None = None
        self.counters: CounterDeltas
        self.pace: Pace
        self._legacy_boot = 0
        self._legacy_seq = 0
        self.heartbeat_sent_at = 0.0
        """When it was last sent a heartbeat while it is not read from."""

    def peer_connected(self) -> None:
        self.counters = CounterDeltas(self.factory.clock.seconds())
        self.pace = Pace(self.factory.pace_limits)
        if self.factory.backpressure.is_full:
            self.factory.pause(self)

    def peer_lost(self, reason: Failure) -> None:
        self.factory.detach(self)

    def on_report(self, request: ReportStatusRequest) -> None:
        """Adds a report to the pending ones; one that is invalid is counted and skipped."""
        try:
            check(request)
        except LarsError as error:
            self.factory.count_malformed(self, error)
            return
        caller, boot, seq = request.caller, request.boot, request.seq
        run = self.run
        if (run is None or run.caller != caller) and not self.factory.admits_caller(self, caller):
            self.end()
            return
        self.introduced(request.peer)
        if not boot:
            boot, seq = self._legacy_number()
        if run is None or run.boot != boot or run.caller != caller:
            run = self.run = self.factory.attach(self, caller, boot, 0 if boot == self._legacy_boot else None)
            if boot != self._legacy_boot:
                self.acknowledge(run)  # at once: the agent learns that this reporter sends acknowledgements
        self.factory.add_report(self, run, seq, request)

    def _legacy_number(self) -> tuple[int, int]:
        self._legacy_boot = self._legacy_boot or secrets.randbits(64) | 1
        self._legacy_seq += 1
        return self._legacy_boot, self._legacy_seq

    def acknowledge(self, run: AgentRun) -> None:
        """Sends the seq up to which all reports are committed, but not to a C++ agent, which has no such message."""
        if run.boot != self._legacy_boot:
            self.send(MessageId.REPORT_STATUS_ACK, ReportStatusAck(boot=run.boot, seq=run.committed, takes_views=True))

    def on_views(self, views: AgentViews) -> None:
        """Takes how an agent sees hosts, and what it says of itself."""
        run = self.run
        if run is None or (run.caller, run.boot) != (views.caller, views.boot):
            self.factory.count_malformed(self, Malformed("views of an agent that has not reported on this connection"))
            return
        try:
            self.factory.add_views(self, run, views)
        except LarsError as error:
            self.factory.count_malformed(self, error)

    receivers = {
        MessageId.REPORT_STATUS_REQUEST: on_report,
        MessageId.AGENT_VIEWS: on_views,
        MessageId.GET_ROUTE_REQUEST: ServedProtocol.on_misdirected,
        **heartbeat_receivers,
    }


class ReportServerFactory(FrameFactory):
    """All agents' connections, their runs, and which connections are paused.

    Args:
        clock: the reactor, or a Clock in tests.
        wall_clock: returns Unix seconds by the database's clock.
        limits: of the connections.
        backpressure: of the pending rows; this object keeps its count.
        add: called with each run that has pending reports, and by how many rows a report increased them.
        pace_limits: of each connection.
        caller_rule: for whom a connection may report.
        admission: who must present a token.

    Attributes:
        paused: connections that are not read from.
        reports: all reports received.
        views: all messages about hosts and agents received.
        results: results in reports that were not repeats.
        repeated: reports that were received before.
        skipped: results with an invalid host.
        misdated: reports dated more than an hour off.
        overtaken: runs that another reporter has committed further.
        skews: the agents whose clocks are off.
        throttled: times that a connection was paused because of its rows in a minute.
        many_callers: connections closed because they reported for too many callers.
        unproven_callers: callers that are not the address of the connection that reports for them, and are taken.
        refused_callers: such callers that were refused; their connections were closed.
    """

    protocol = ReportServerProtocol

    def __init__(
        self,
        clock: IReactorTime,
        wall_clock: Callable[[], float],
        limits: Limits,
        backpressure: Backpressure,
        add: Callable[[AgentRun, int], None],
        pace_limits: PaceLimits | None = None,
        caller_rule: CallerRule | None = None,
        admission: Admission | None = None,
    ) -> None:
        super().__init__(clock, limits, admission)
        self.backpressure = backpressure
        self.pace_limits = pace_limits or PaceLimits()
        self._caller_rule = caller_rule or CallerRule()
        self.paused: set[ReportServerProtocol] = set()
        self.reports = 0
        self.views = 0
        self.results = 0
        self.repeated = 0
        self.skipped = 0
        self.misdated = 0
        self.overtaken = 0
        self.skews = SkewedAgents()
        self.throttled = 0
        self.many_callers = 0
        self.unproven_callers = 0
        self.refused_callers = 0
        self._add = add
        self._wall_clock = wall_clock
        self._runs: dict[Run, AgentRun] = {}
        self._connection_of: dict[Run, ReportServerProtocol] = {}
        self._stopping = False

    def attach(self, connection: ReportServerProtocol, caller: int, boot: int, cursor: int | None) -> AgentRun:
        """The run whose reports a connection begins to send; `cursor` is that of a run that is new here."""
        self.detach(connection)
        run = self._runs.get((caller, boot))
        if run is None:
            run = self._runs[caller, boot] = AgentRun(caller, boot, cursor)
        run.connected = True
        self._connection_of[run.key] = connection
        return run

    def detach(self, connection: ReportServerProtocol) -> None:
        """Ends a connection's part in its run; the agent repeats what was not acknowledged on its next connection."""
        self.paused.discard(connection)
        run = connection.run
        if run is not None and self._connection_of.get(run.key) is connection:
            del self._connection_of[run.key]
            run.connected = False
            self._forget_idle(run)

    def _forget_idle(self, run: AgentRun) -> None:
        if not run.connected and not run.rows:
            self._runs.pop(run.key, None)
            self.skews.forget(run.caller)

    def add_report(
        self, connection: ReportServerProtocol, run: AgentRun, seq: int, request: ReportStatusRequest
    ) -> None:
        """Adds a report to the pending ones, unless it is a repeat."""
        self.reports += 1
        group = run.group_for(seq)
        if group is None:
            self.repeated += 1
            if seq <= run.committed:
                connection.acknowledge(run)
            return
        now = self._wall_clock()
        self.misdated += abs(request.ts - now) > MAX_AGE
        group.skew = run.skew = run.clock.observe(request.ts, now)
        self.skews.observe(run.caller, run.skew, self.clock.seconds())
        connection.counters.expire(self.clock.seconds())
        happened = happened_at(request.ts, now, run.skew)
        added = add_report(request, happened, int(now), group.rows, connection.counters)
        self.results += len(request.results)
        self.skipped += added.skipped
        self._added(connection, run, added.new_rows + (group.first == seq))

    def add_views(self, connection: ReportServerProtocol, run: AgentRun, views: AgentViews) -> None:
        """Adds what an agent says of hosts to what is pending; raises Malformed or InvalidRoute."""
        self.views += 1
        seen = run.seen if run.seen is not None else Seen(run.caller, run.boot)
        rows = add_views(views, self._wall_clock(), seen)
        run.seen = seen
        self._added(connection, run, rows)

    def _added(self, connection: ReportServerProtocol, run: AgentRun, rows: int) -> None:
        """Counts rows that are pending from now on, and has them written."""
        run.rows += rows
        self.backpressure.rows += rows
        if self.backpressure.must_pause(run.rows):
            self.pause(connection)
        if connection.pace.add(rows, self.clock.seconds()):
            self._throttle(connection)
        self._add(run, rows)

    def _throttle(self, connection: ReportServerProtocol) -> None:
        if connection not in self.paused:
            self.throttled += 1
            text = "{peer} has reported {rows} rows in a minute (max_rows_per_minute): not read from until it ends"
            self._log_bounded("throttled", text, connection.connected_to, rows=self.pace_limits.rows)
            self.pause(connection)

    def admits_caller(self, connection: ReportServerProtocol, caller: int) -> bool:
        """Whether a connection may report for a caller; counts those that are refused, or taken without a proof."""
        if not connection.pace.admits(caller):
            self.many_callers += 1
            text = "connection from {peer} dropped: it reports for more than {callers} callers (max_callers)"
            self._log_bounded("many callers", text, connection.connected_to, callers=self.pace_limits.callers)
            return False
        claim = self._caller_rule.claim(connection.peer_host, caller)
        if claim is Claim.REFUSED:
            self.refused_callers += 1
            text = "connection from {peer} dropped: it reports for {caller}, which is not its address, and is not in "
            text += "allow_callers"
            self._log_bounded("refused caller", text, connection.connected_to, caller=format_ip(caller))
        elif claim is Claim.UNPROVEN:
            self.unproven_callers += 1
            text = "{peer} reports for {caller}, which is not its address; anyone may, since allow_callers is any"
            self._log_bounded("unproven caller", text, connection.connected_to, caller=format_ip(caller))
        return claim is not Claim.REFUSED

    def pause(self, connection: ReportServerProtocol) -> None:
        """Stops reading from an agent, which keeps its reports until then."""
        if connection not in self.paused:
            self.paused.add(connection)
            connection.pause_reading()

    def resume_paused(self) -> None:
        """Resumes reading from the paused agents that may send again; called periodically.

        A new connection is read from once however full memory is: the answer shows the agent what this reporter is.
        """
        if self._stopping:
            return
        now = self.clock.seconds()
        for connection in tuple(self.paused):
            interval = connection.heartbeat_interval
            if interval and now - connection.heartbeat_sent_at >= interval / 2:
                connection.heartbeat_sent_at = now
                connection.send_heartbeat()  # the agent's own are not read
            if connection.pace.must_wait(now):
                continue
            if connection.is_new or self.backpressure.may_resume(connection.run.rows if connection.run else 0):
                self.paused.discard(connection)
                connection.resume_reading()

    def stop_reading(self) -> None:
        """Pauses all connections for good."""
        self._stopping = True
        for connection in tuple(self.connections):
            assert isinstance(connection, ReportServerProtocol)
            self.pause(connection)

    def written(self, batch: Batch) -> None:
        """Acknowledges committed reports to the agents that are connected.

        An agent whose run another reporter has committed further is disconnected: on its next connection it learns the
        cursor, and sends the rest again.
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
