"""The link to lars-reporter: each report is sent until it is acknowledged, or once to a peer that acknowledges none.

See docs/design/agent.md, reports.
"""

from collections.abc import Callable
from enum import Enum

from twisted.logger import Logger
from twisted.python.failure import Failure

from lars.agent.links.caller import caller_on
from lars.agent.links.credentials import NO_CREDENTIALS, Credentials
from lars.agent.links.link import TRIES, LinkFactory, LinkProtocol, heartbeat_receivers
from lars.agent.links.outbox import Outbox
from lars.agent.settings import Servers
from lars.runtime.log_limit import LogLimit
from lars.runtime.reactor import IReactor
from lars.wire.heartbeats import INTERVAL
from lars.wire.lars_pb2 import AgentViews, ReportStatusAck
from lars.wire.messages import MessageId
from lars.wording import counted

_log = Logger()

ACK_TIMEOUT = 10.0
"""Seconds after the first report on a connection within which a Python reporter has answered; a C++ one never does.

One that has acknowledged before has less where heartbeats are quicker."""

MAX_PERIOD_MS = 2**32 - 1
"""The longest period that the message holds: 49.7 days."""

ALIVE_INTERVAL = 60.0
"""Seconds of silence after which an empty report says that the agent is alive."""


class ReportLinkState(Enum):
    """What is known of the peer of this connection."""

    DOWN = "down"
    """There is no connection."""
    OPEN = "open"
    """Connected; no report has been sent."""
    PROBING = "probing"
    """The first report has been sent alone; its answer shows what the peer is."""
    ACKNOWLEDGED = "acknowledged"
    """The peer acknowledges: reports are kept until it has."""
    UNACKNOWLEDGED = "unacknowledged"
    """The peer is a C++ reporter: reports are sent once and not kept."""


class ReportLinkProtocol(LinkProtocol):
    """The agent's side of a connection to lars-reporter."""

    factory: "ReportLink"

    def peer_connected(self) -> None:
        self.factory.connected(self)

    def peer_lost(self, reason: Failure) -> None:
        self.factory.lost(self)

    def on_ack(self, ack: ReportStatusAck) -> None:
        """Takes an acknowledgement."""
        self.factory.acknowledged(self, ack)

    receivers = {MessageId.REPORT_STATUS_ACK: on_ack, **heartbeat_receivers}


class ReportLink(LinkFactory):
    """Carries an Outbox to the lars-reporter that is linked.

    On a new connection the first report goes alone. Its acknowledgement shows which reports the reporter has; the
    others follow, and are kept until acknowledged. Without one the peer is a C++ reporter, unless it has acknowledged
    before: then it may hang, and is taken for a C++ one only after TRIES connections without an answer.

    Args:
        reactor: the reactor that connects, and its clock.
        servers: the reporters, in the order in which they are tried.
        outbox: the reports.
        caller: this machine's IPv4 address in reports; 0 means that of the connection, or over IPv6 another one.
        wall_clock: gives Unix seconds, for the time of a report.
        interval: seconds between heartbeats.
        credentials: what is shown to the reporter.
    """

    protocol = ReportLinkProtocol

    def __init__(
        self,
        reactor: IReactor,
        servers: Servers,
        outbox: Outbox,
        caller: int,
        wall_clock: Callable[[], float],
        interval: float = INTERVAL,
        credentials: Credentials = NO_CREDENTIALS,
    ) -> None:
        super().__init__("lars-reporter", reactor, servers, interval, credentials)
        self.outbox = outbox
        self._wall_clock = wall_clock
        self._fixed_caller = caller
        self._caller = caller
        self._state = ReportLinkState.DOWN
        self._connection: ReportLinkProtocol | None = None
        self._acknowledging: set[str] = set()  # servers that have acknowledged
        self._unnamed = LogLimit(reactor.seconds)
        self._takes_views = False
        self._view_connections = 0  # connections whose reporter takes views, so far
        self._sent = 0  # the last seq sent on this connection
        self._sent_at = reactor.seconds()  # when that was
        self._frozen_at = reactor.seconds()  # where the next report's period begins

    @property
    def up(self) -> bool:
        """Whether a lars-reporter is linked, and not one that hangs."""
        return super().up or self._state is ReportLinkState.UNACKNOWLEDGED

    def connected(self, connection: ReportLinkProtocol) -> None:
        """Sends the first report, if there is one."""
        self._connection = connection
        self._state = ReportLinkState.OPEN
        self._sent = 0
        self._takes_views = False
        self.outbox.take_back()
        self._caller = self._fixed_caller or caller_on(connection.stream.getHost()) or self._caller
        if not self._caller and self._unnamed.admit(""):
            text = "no report is sent to {server}: this machine has no IPv4 address that would name it; set caller in "
            text += "[agent], or --caller, to one that no other agent has"
            _log.error(text, server=connection.connected_to)
        self._send(connection)

    def lost(self, connection: ReportLinkProtocol) -> None:
        """Keeps what was not acknowledged for the next connection."""
        if self._connection is connection:
            self._connection = None
            self._takes_views = False
            self._state = ReportLinkState.DOWN

    @property
    def views_to(self) -> int:
        """The number of the connection on which views can be sent now, from 1; 0 if there is none."""
        connection = self._connection
        return self._view_connections if self._takes_views and connection is not None and connection.writable else 0

    def send_views(self, views: AgentViews) -> None:
        """Sends views of hosts; to be called while `views_to` is not 0. They are not repeated."""
        if self._connection is not None:
            views.caller, views.boot = self._caller, self.outbox.boot
            self._connection.send(MessageId.AGENT_VIEWS, views)

    def acknowledged(self, connection: ReportLinkProtocol, ack: ReportStatusAck) -> None:
        """Forgets the reports up to ack.seq, which are committed, and sends what follows."""
        if connection is self._connection and ack.boot == self.outbox.boot:
            self._state = ReportLinkState.ACKNOWLEDGED
            if ack.takes_views and not self._takes_views:
                self._takes_views = True
                self._view_connections += 1
            self._acknowledging.add(connection.connected_to)
            self.outbox.acknowledge(ack.seq)
            self._freeze()
            self._send(connection)

    def tick(self) -> None:
        """Sends what may be sent now; called by timer, and after something was added to the outbox."""
        connection = self._connection
        if connection is None or not self._caller:
            return
        now = self.clock.seconds()
        if (
            self._state is ReportLinkState.PROBING
            and now - self._sent_at >= self._ack_timeout(connection)
            and not self._unanswered()
        ):
            return
        if self._state is ReportLinkState.UNACKNOWLEDGED and not connection.writable:
            return  # what is sent now is not kept, and must not pile up in the transport
        self._freeze()
        if now - self._sent_at >= ALIVE_INTERVAL:
            self.outbox.alive(self._caller, int(self._wall_clock()), int(ALIVE_INTERVAL * 1000))
        self._send(connection)
        while self._state is ReportLinkState.UNACKNOWLEDGED and connection.writable and self._freeze():
            self._send(connection)

    def _ack_timeout(self, connection: ReportLinkProtocol) -> float:
        """Seconds after which a silent peer is decided on: no more than it may be silent if it has acknowledged before.

        Nothing can be lost by that: it is left, or what it may not have is kept.
        """
        acknowledging = connection.connected_to in self._acknowledging
        return min(ACK_TIMEOUT, self._pulse.patience) if acknowledging else ACK_TIMEOUT

    def _unanswered(self) -> bool:
        """Decides what a reporter is that has not answered the first report; whether more is to be sent to it."""
        connection = self._connection
        if connection is None or self.server_knows_heartbeats:
            return False  # heartbeats decide
        server = connection.connected_to
        if server in self._acknowledging:
            if self.silences + 1 < TRIES:
                self.leave("has acknowledged nothing for", self._ack_timeout(connection))
                return False
            if kept := self.outbox.set_aside():
                text = "lars-reporter {server} acknowledges nothing any more: it is taken for a C++ reporter, and "
                text += "what it may not have is kept for one that does: {kept}"
                _log.warn(text, server=server, kept=counted(kept, "report"))
        self._state = ReportLinkState.UNACKNOWLEDGED
        self.speak_as_to_cpp()
        return True

    def _freeze(self) -> bool:
        """Makes reports of unsent counts, as many as may be in flight; whether there were any."""
        now = self.clock.seconds()
        period_ms = min(MAX_PERIOD_MS, max(1, int((now - self._frozen_at) * 1000)))
        if not self.outbox.freeze(self._caller, int(self._wall_clock()), period_ms):
            return False
        self._frozen_at = now
        return True

    def _send(self, connection: ReportLinkProtocol) -> None:
        """Sends the reports that have not been sent on this connection; only the first one before its answer."""
        for report in self.outbox.unacknowledged():
            if report.seq <= self._sent:
                continue
            if self._state is ReportLinkState.PROBING:
                return
            connection.send(MessageId.REPORT_STATUS_REQUEST, report)
            self._sent = report.seq
            self._sent_at = self.clock.seconds()
            if self._state is ReportLinkState.OPEN:
                self._state = ReportLinkState.PROBING
        if self._state is ReportLinkState.UNACKNOWLEDGED:
            self.outbox.forget_sent()
