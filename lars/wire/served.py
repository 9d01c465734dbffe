"""The server's side of an agent's connection: it answers heartbeats, and shows that it knows them.

See docs/design/wire.md, heartbeats.
"""

from collections.abc import Mapping
from typing import ClassVar

from lars.errors import LarsError
from lars.wire.heartbeats import INTERVAL, MAX_INTERVAL, PEER
from lars.wire.lars_pb2 import GetRouteRequest, Heartbeat, ReportStatusRequest
from lars.wire.messages import MessageId
from lars.wire.protocol import FrameProtocol, Receiver


class Misdirected(LarsError):
    """A message that is for a server of another kind."""


class ServedProtocol(FrameProtocol):
    """One agent's connection to a server; a subclass adds `heartbeat_receivers` to its own.

    Attributes:
        kind: of the server, for agents that have mistaken its port: "lars-dns".
    """

    kind: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self.heartbeat_interval = 0.0
        """Seconds between the agent's heartbeats; 0 until it has shown that it knows them."""

    def on_heartbeat(self, heartbeat: Heartbeat) -> None:
        """Answers, unless the agent does not read what it has been sent before."""
        self.heartbeat_interval = min(heartbeat.interval_ms / 1000, MAX_INTERVAL) or INTERVAL
        self.factory.heartbeat(self, self.heartbeat_interval)
        self.send_heartbeat()

    def introduced(self, peer: int) -> None:
        """Notes the `peer` of a request: an agent that knows heartbeats is sent one, so that it begins with its own."""
        if peer >= PEER and not self.heartbeat_interval:
            self.heartbeat_interval = INTERVAL
            self.send_heartbeat()

    def send_heartbeat(self) -> None:
        """Sends a heartbeat, unless something waits to be read anyway."""
        if self.writable:
            interval_ms = int(self.heartbeat_interval * 1000)
            self.send(MessageId.HEARTBEAT, Heartbeat(interval_ms=interval_ms, server=self.kind))

    def on_misdirected(self, request: GetRouteRequest | ReportStatusRequest) -> None:
        """Skips what is for another kind of server, and shows the agent of which kind this one is."""
        self.factory.count_malformed(self, Misdirected(f"this is {self.kind}; the agent's settings name it as another"))
        self.introduced(request.peer)


heartbeat_receivers: Mapping[int, Receiver] = {MessageId.HEARTBEAT: ServedProtocol.on_heartbeat}
"""What a subclass's `receivers` include."""
