"""An agent's connection to lars-reporter: reports in, acknowledgements out (design 7 and 9)."""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from lars.db.reports import Cursors, Report
from lars.errors import InvalidRoute
from lars.reporter.intake import RunningCounters, read_report
from lars.wire.lars_pb2 import ReportStatusAck, ReportStatusRequest
from lars.wire.messages import MessageId
from lars.wire.protocol import FrameFactory, FrameProtocol, Limits


class ReportServerProtocol(FrameProtocol):
    """One agent. `boot` is the run of the agent that its reports named last, 0 for a C++ one."""

    factory: "ReportServerFactory"

    def __init__(self) -> None:
        super().__init__()
        self._counters = RunningCounters()
        self.boot = 0

    def peer_connected(self) -> None:
        if self.factory.paused:
            self.stream.pauseProducing()

    def peer_lost(self, reason: Failure) -> None:
        self.factory.forget(self)

    def on_report(self, request: ReportStatusRequest) -> None:
        try:
            report = read_report(request, self.factory.wall_clock(), self._counters)
        except InvalidRoute as error:
            self.factory.count_malformed(self, error)
            return
        if report.boot and report.boot != self.boot:
            self.boot = report.boot
            self.factory.first_report(self, report)
        self.factory.take(report)

    def acknowledge(self, boot: int, seq: int) -> None:
        """Everything of that boot up to seq is committed."""
        self.send(MessageId.REPORT_STATUS_ACK, ReportStatusAck(boot=boot, seq=seq))

    receivers = {MessageId.REPORT_STATUS_REQUEST: on_report}


class ReportServerFactory(FrameFactory):
    """All agents' connections; `add` takes their reports on."""

    protocol = ReportServerProtocol

    def __init__(self, clock: IReactorTime, wall_clock: Callable[[], float], limits: Limits) -> None:
        super().__init__(clock, limits)
        self.wall_clock = wall_clock
        self.add: Callable[[Report], None] | None = None
        self.paused = False
        self.reports = 0
        self._by_boot: dict[int, ReportServerProtocol] = {}
        self._cursors: Cursors = {}

    def first_report(self, connection: ReportServerProtocol, report: Report) -> None:
        """Answers at once with the last seq known of that boot, so that the agent knows what kind of peer we are."""
        self._by_boot[report.boot] = connection
        connection.acknowledge(report.boot, self._cursors.get((report.caller, report.boot), 0))

    def take(self, report: Report) -> None:
        """Passes a report on."""
        self.reports += 1
        assert self.add is not None
        self.add(report)

    def forget(self, connection: ReportServerProtocol) -> None:
        """The connection is gone; its agent will say on the next one what it was not told."""
        if self._by_boot.get(connection.boot) is connection:
            del self._by_boot[connection.boot]

    def committed(self, cursors: Cursors) -> None:
        """Acknowledges what a commit has brought, to the agents that are connected."""
        for (caller, boot), seq in cursors.items():
            connection = self._by_boot.get(boot)
            if connection is not None:
                self._cursors[caller, boot] = seq
                connection.acknowledge(boot, seq)
            else:
                self._cursors.pop((caller, boot), None)

    def pause(self, paused: bool) -> None:
        """Stops or resumes reading from all agents."""
        if paused != self.paused:
            self.paused = paused
            for connection in self.connections:
                if paused:
                    connection.stream.pauseProducing()
                else:
                    connection.stream.resumeProducing()
