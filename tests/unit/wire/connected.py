"""What the tests of the protocol and of its factory share: a peer, and connections on a clock."""

from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IAddress
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from lars.wire.factory import FrameFactory, Limits
from lars.wire.frames import HEADER, encode_frame
from lars.wire.lars_pb2 import GetRouteRequest
from lars.wire.messages import MessageId, encode_message
from lars.wire.protocol import FrameProtocol

REQUEST = encode_message(MessageId.GET_ROUTE_REQUEST, GetRouteRequest(modid=1, cmdid=2))
MALFORMED = encode_frame(MessageId.GET_ROUTE_REQUEST, b"\xff\xff\xff")
UNKNOWN = encode_frame(1000, b"whatever")
BAD_LENGTH = HEADER.pack(1, -1)


class Peer(FrameProtocol):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def peer_connected(self) -> None:
        self.seen.append("connected")

    def peer_lost(self, reason: Failure) -> None:
        self.seen.append("lost")

    def writable_again(self) -> None:
        self.seen.append("writable")

    def on_get_route(self, request: GetRouteRequest) -> None:
        self.seen.append((request.modid, request.cmdid))

    receivers = {MessageId.GET_ROUTE_REQUEST: on_get_route}


class Connected(SynchronousTestCase):
    """A factory on a clock, and connections made to it."""

    protocol: Callable[[], FrameProtocol] = Peer

    def setUp(self) -> None:
        self.clock = Clock()
        self.factory = self.make_factory()

    def make_factory(self, limits: Limits | None = None) -> FrameFactory:
        factory = FrameFactory(self.clock, limits)
        factory.protocol = self.protocol
        return factory

    def connect(self, address: IAddress | None = None) -> tuple[Any, StringTransport]:
        """A connection, and its transport; no connection if the factory would have none."""
        address = address or IPv4Address("TCP", "10.0.0.9", 4321)
        protocol = self.factory.buildProtocol(address)
        transport = StringTransport(peerAddress=address)
        if protocol is not None:
            protocol.makeConnection(transport)
        return protocol, transport

    def lines(self, action: Callable[[], object]) -> list[str]:
        """What is logged meanwhile."""
        with capturedLogs() as events:
            action()
        return [event["log_format"].format(**event) for event in events if "log_format" in event]
