"""The link to lars-reporter: each report is sent until it is acknowledged, or once to a peer that never does."""

from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.python.failure import Failure

from lars.agent.link import LinkFactory
from lars.agent.outbox import Outbox
from lars.agent.settings import Servers
from lars.route import parse_ip
from lars.wire.lars_pb2 import ReportStatusAck
from lars.wire.messages import MessageId
from lars.wire.protocol import FrameProtocol

ACK_TIMEOUT = 10.0
"""Seconds after the first report on a connection in which a reporter of ours has answered; a C++ one never does."""

KNOWN_TO_ACKNOWLEDGE = 3600.0
"""Seconds for which a server that has acknowledged is taken for one of ours, however silent it is: it may hang, or read
nothing while its database is away. After that it may have been replaced by a C++ one."""

MAX_PERIOD_MS = 2**32 - 1
"""What the message holds: 49.7 days."""

ALIVE_INTERVAL = 60.0
"""Seconds of silence after which the agent says that it lives."""


class ReportLinkProtocol(FrameProtocol):
    """The agent's side of a connection to lars-reporter."""

    factory: "ReportLink"

    def peer_connected(self) -> None:
        self.factory.connected(self)

    def peer_lost(self, reason: Failure) -> None:
        self.factory.lost(self)

    def on_ack(self, ack: ReportStatusAck) -> None:
        self.factory.acknowledged(self, ack)

    receivers = {MessageId.REPORT_STATUS_ACK: on_ack}


class ReportLink(LinkFactory):
    """Carries an Outbox to whichever lars-reporter is linked.

    On a new connection the first report goes alone. Its answer shows a reporter of ours, and which reports it has;
    the others follow, and stay until acknowledged. No answer shows a C++ one, which is sent to without keeping.
    """

    protocol = ReportLinkProtocol

    def __init__(
        self,
        reactor: Any,
        servers: Servers,
        outbox: Outbox,
        caller: int,
        wall_clock: Callable[[], float],
    ) -> None:
        super().__init__("lars-reporter", reactor, servers)
        self.outbox = outbox
        self._reactor = reactor
        self._wall_clock = wall_clock
        self._fixed_caller = caller
        self._caller = caller
        self._connection: ReportLinkProtocol | None = None
        self._acknowledges: bool | None = None  # None: not known yet
        self._acknowledged_at: dict[str, float] = {}  # by server: when it last showed itself as one of ours
        self._first_sent_at: float | None = None
        self._sent = 0  # the last seq sent on this connection
        self._sent_at = reactor.seconds()
        self._frozen_at = reactor.seconds()

    @property
    def up(self) -> bool:
        return self._connection is not None

    def connected(self, connection: ReportLinkProtocol) -> None:
        self._connection = connection
        self._acknowledges = None
        self._first_sent_at = None
        self._sent = 0
        here = connection.stream.getHost()
        if not self._fixed_caller and isinstance(here, IPv4Address):
            self._caller = parse_ip(here.host)
        self._send()

    def lost(self, connection: ReportLinkProtocol) -> None:
        if self._connection is connection:
            self._connection = None

    def acknowledged(self, connection: ReportLinkProtocol, ack: ReportStatusAck) -> None:
        """A reporter of ours has committed everything up to ack.seq."""
        if connection is self._connection and ack.boot == self.outbox.boot:
            self._acknowledges = True
            self._acknowledged_at[connection.connected_to] = self._reactor.seconds()
            self.outbox.acknowledge(ack.seq)
            self._freeze()
            self._send()

    def tick(self) -> None:
        """Sends what may be sent now; called by timer, and after something was added to the outbox."""
        connection = self._connection
        if connection is None:
            return
        now = self._reactor.seconds()
        if self._acknowledges is None and self._first_sent_at is not None and now - self._first_sent_at >= ACK_TIMEOUT:
            known_at = self._acknowledged_at.get(connection.connected_to)
            if known_at is not None and now - known_at < KNOWN_TO_ACKNOWLEDGE:
                self.endpoint.next()
                connection.end()
                return
            self._acknowledges = False
        if self._acknowledges is False and not connection.writable:
            return  # what is sent to it is not kept, and must not pile up in the transport
        self._freeze()
        if now - self._sent_at >= ALIVE_INTERVAL:
            self.outbox.alive(self._caller, int(self._wall_clock()), int(ALIVE_INTERVAL * 1000))
        self._send()
        while self._acknowledges is False and connection.writable and self._freeze():
            self._send()

    def _freeze(self) -> bool:
        """Makes reports of what waits, as many as may be in flight; whether there were any."""
        now = self._reactor.seconds()
        period_ms = min(MAX_PERIOD_MS, max(1, int((now - self._frozen_at) * 1000)))
        if not self.outbox.freeze(self._caller, int(self._wall_clock()), period_ms):
            return False
        self._frozen_at = now
        return True

    def _send(self) -> None:
        if self._connection is None:
            return
        for report in self.outbox.unacknowledged():
            if report.seq <= self._sent:
                continue
            if self._acknowledges is None and self._first_sent_at is not None:
                return  # the first one goes alone
            self._connection.send(MessageId.REPORT_STATUS_REQUEST, report)
            self._sent = report.seq
            self._sent_at = self._reactor.seconds()
            if self._first_sent_at is None:
                self._first_sent_at = self._sent_at
        if self._acknowledges is False:
            self.outbox.forget_sent()
