"""A lars-dns and a lars-reporter that do everything wrong: one listening place, and a different fault each time."""

import struct
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any, cast

from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IListeningPort, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from lars.errors import LarsError
from lars.route import MAX_HOSTS
from lars.wire.frames import HEADER, MAX_BODY, FrameDecoder, encode_frame
from lars.wire.lars_pb2 import GetRouteResponse, HostInfo, ReportStatusAck, ReportStatusRequest
from lars.wire.messages import MessageId, decode_message, encode_message
from tests.soak.fuzzed_agent import SPOILT

LIFETIME = 0.05
"""Seconds after which a connection that the agent has not ended is closed from here."""


class BrokenPeer(Protocol):
    """One connection, with one fault."""

    factory: "BrokenPeers"

    def connectionMade(self) -> None:
        self.stream = cast(ITCPTransport, self.transport)
        self.decoder = FrameDecoder()
        self.factory.open.add(self)
        self._end = self.factory.reactor.callLater(LIFETIME, self.stream.loseConnection)
        self.fault = self.factory.next_fault()
        self.fault(self, b"")

    def dataReceived(self, data: bytes) -> None:
        self.fault(self, data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.factory.open.discard(self)
        if self._end.active():
            self._end.cancel()


Fault = Callable[[BrokenPeer, bytes], None]
"""Called without data when the connection is made, then with what the agent sends."""


class BrokenPeers(Factory):
    """The connections of one place; `made` counts them."""

    protocol = BrokenPeer  # type: ignore[assignment]  # its factory has more than every Factory
    noisy = False

    def __init__(self, reactor: Any, port: int, seed: int) -> None:
        self.reactor = reactor
        self.random = Random(seed)
        self.open: set[BrokenPeer] = set()
        self.made = 0
        self._listening: IListeningPort = reactor.listenTCP(port, self, interface="127.0.0.1")

    def next_fault(self) -> Fault:
        """Each fault in turn."""
        self.made += 1
        return FAULTS[self.made % len(FAULTS)]

    async def close(self) -> None:
        """Ends all connections and stops listening."""
        for peer in tuple(self.open):
            peer.stream.abortConnection()
        await maybeDeferred(self._listening.stopListening)


def _host(number: int) -> HostInfo:
    return HostInfo(ip=0x0A000000 + number, port=80)


def _route(random: Random) -> bytes:
    modid, cmdid = random.choice(SPOILT)
    hosts = [_host(random.randrange(1, 100)) for _ in range(random.randrange(5))]
    response = GetRouteResponse(modid=modid, cmdid=cmdid, host=hosts, fresh_ms=random.choice([0, 1, 1000, 2**32 - 1]))
    return encode_message(MessageId.GET_ROUTE_RESPONSE, response)


def _ack(random: Random) -> bytes:
    ack = ReportStatusAck(boot=random.getrandbits(64), seq=random.getrandbits(32))
    return encode_message(MessageId.REPORT_STATUS_ACK, ack)


def _valid(random: Random) -> bytes:
    return random.choice([_route, _ack])(random)


def silent(peer: BrokenPeer, data: bytes) -> None:
    """Takes everything and never answers."""


def closed_at_once(peer: BrokenPeer, data: bytes) -> None:
    peer.stream.loseConnection()


def reset_at_once(peer: BrokenPeer, data: bytes) -> None:
    peer.stream.abortConnection()


def noise(peer: BrokenPeer, data: bytes) -> None:
    peer.stream.write(peer.factory.random.randbytes(peer.factory.random.randrange(1, 3000)))


def half_a_frame(peer: BrokenPeer, data: bytes) -> None:
    if not data:
        frame = _valid(peer.factory.random)
        peer.stream.write(frame[: peer.factory.random.randrange(len(frame))])
        peer.stream.loseConnection()


def frame_in_many_pieces(peer: BrokenPeer, data: bytes) -> None:
    if not data:
        for number, byte in zip(count(), _valid(peer.factory.random), strict=False):
            peer.factory.reactor.callLater(number * 0.001, _write_if_open, peer, bytes([byte]))


def _write_if_open(peer: BrokenPeer, data: bytes) -> None:
    if peer in peer.factory.open:
        peer.stream.write(data)


def impossible_length(peer: BrokenPeer, data: bytes) -> None:
    length = peer.factory.random.choice([-1, -(2**31), MAX_BODY + 1, 2**31 - 1])
    peer.stream.write(_valid(peer.factory.random) + HEADER.pack(2, length) + bytes(100))


def other_lengths(peer: BrokenPeer, data: bytes) -> None:
    """What follows is cut in the wrong places."""
    random = peer.factory.random
    peer.stream.write(b"".join(_valid(random)[:4] + struct.pack("<i", random.randrange(40)) for _ in range(50)))


def malformed_bodies(peer: BrokenPeer, data: bytes) -> None:
    random = peer.factory.random
    frames = [encode_frame(random.choice([2, 9]), b"\xff" * random.randrange(1, 30)) for _ in range(20)]
    peer.stream.write(b"".join(frames))


def unknown_messages(peer: BrokenPeer, data: bytes) -> None:
    random = peer.factory.random
    frames = [encode_frame(random.getrandbits(31), random.randbytes(random.randrange(100))) for _ in range(20)]
    peer.stream.write(b"".join(frames) + encode_frame(77, bytes(MAX_BODY)))


def changed_frames(peer: BrokenPeer, data: bytes) -> None:
    random = peer.factory.random
    frame = bytearray(_valid(random))
    frame[random.randrange(len(frame))] ^= 1 << random.randrange(8)
    peer.stream.write(bytes(frame) * 3)


def echo(peer: BrokenPeer, data: bytes) -> None:
    """The agent's own messages."""
    peer.stream.write(data)


def impossible_routes(peer: BrokenPeer, data: bytes) -> None:
    """Hosts that cannot be, too many of them, the same again and again, and modules that cannot be."""
    modid, cmdid = peer.factory.random.choice(SPOILT)
    for hosts in (
        [_host(number) for number in range(MAX_HOSTS + 500)],
        [_host(1)] * 100,
        [HostInfo(ip=1, port=-1), HostInfo(ip=2, port=0), HostInfo(ip=3, port=70_000), HostInfo(ip=0, port=80)],
    ):
        for ids in ((modid, cmdid), (-1, 1), (0, 0), (-modid, -cmdid), (5, 5)):
            response = GetRouteResponse(modid=ids[0], cmdid=ids[1], host=hosts)
            peer.stream.write(encode_message(MessageId.GET_ROUTE_RESPONSE, response))


def impossible_acknowledgements(peer: BrokenPeer, data: bytes) -> None:
    """Of this run of the agent, for reports that it has not sent, and back again."""
    for message_id, body in peer.decoder.feed(data):
        try:
            report = decode_message(message_id, body)
        except LarsError:
            continue
        if isinstance(report, ReportStatusRequest):
            for seq in (2**32 - 1, 0, report.seq, report.seq):
                ack = ReportStatusAck(boot=report.boot, seq=seq)
                peer.stream.write(encode_message(MessageId.REPORT_STATUS_ACK, ack))


FAULTS: list[Fault] = [
    silent,
    closed_at_once,
    reset_at_once,
    noise,
    half_a_frame,
    frame_in_many_pieces,
    impossible_length,
    other_lengths,
    malformed_bodies,
    unknown_messages,
    changed_frames,
    echo,
    impossible_routes,
    impossible_acknowledgements,
]
