"""The server's side of an agent's connection: it takes tokens, answers heartbeats, and shows that it knows them.

See docs/design/wire.md, heartbeats. Who must present a token: docs/security.md, tokens.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import ClassVar

from lars.errors import LarsError
from lars.wire.frames import FrameError
from lars.wire.heartbeats import INTERVAL, MAX_INTERVAL, PEER
from lars.wire.lars_pb2 import GetRouteRequest, Heartbeat, Hello, ReportStatusRequest
from lars.wire.messages import MessageId, decode_message
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
        self._owes_token = False
        self.heartbeat_interval = 0.0
        """Seconds between the agent's heartbeats; 0 until it has shown that it knows them."""

    def connectionMade(self) -> None:
        self._owes_token = self.factory.needs_token(self)
        super().connectionMade()

    def _receive(self, message_id: int, body: bytes) -> None:
        if self._owes_token and not self._proves(message_id, body):
            return
        super()._receive(message_id, body)

    def _proves(self, message_id: int, body: bytes) -> bool:
        """Whether the first message has a token that is accepted; if not, the connection is refused."""
        hello = None
        with suppress(FrameError):
            hello = decode_message(message_id, body)
        if reason := self.factory.refusal(self, hello.token if isinstance(hello, Hello) else ""):
            self.refuse(reason)
            return False
        self._owes_token = False
        return True

    def on_hello(self, _hello: Hello) -> None:
        """Takes a token that is not needed."""

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


heartbeat_receivers: Mapping[int, Receiver] = {
    MessageId.HEARTBEAT: ServedProtocol.on_heartbeat,
    MessageId.HELLO: ServedProtocol.on_hello,
}
"""What a subclass's `receivers` include."""
