"""The server's side of an agent's connection: it answers heartbeats, and shows that it knows them.

See docs/design/wire.md, heartbeats.
"""

from collections.abc import Mapping

from lars.wire.heartbeats import INTERVAL, MAX_INTERVAL, PEER
from lars.wire.lars_pb2 import Heartbeat
from lars.wire.messages import MessageId
from lars.wire.protocol import FrameProtocol, Receiver


class ServedProtocol(FrameProtocol):
    """One agent's connection to a server; a subclass adds `heartbeat_receivers` to its own."""

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
            self.send(MessageId.HEARTBEAT, Heartbeat(interval_ms=int(self.heartbeat_interval * 1000)))


heartbeat_receivers: Mapping[int, Receiver] = {MessageId.HEARTBEAT: ServedProtocol.on_heartbeat}
"""What a subclass's `receivers` include."""
