"""The Twisted protocol of every TCP peer: whole frames in, a table of methods, whole frames out."""

import socket
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast
from typing import Protocol as Structure

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IPushProducer, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from lars.errors import LarsError
from lars.runtime.tls_errors import what_failed
from lars.wire.frames import FrameDecoder, FrameError
from lars.wire.keepalive import await_readers, keep_alive
from lars.wire.lars_pb2 import Hello
from lars.wire.messages import Message, MessageId, decode_message, encode_message

Receiver = Callable[[Any, Any], None]


class Transport(Structure):
    """What the protocol uses of a Twisted stream transport."""

    def write(self, data: bytes) -> None: ...
    def loseConnection(self) -> None: ...
    def abortConnection(self) -> None: ...
    def pauseProducing(self) -> None: ...
    def resumeProducing(self) -> None: ...
    def registerProducer(self, producer: object, streaming: bool) -> None: ...
    def unregisterProducer(self) -> None: ...
    def setTcpNoDelay(self, enabled: bool) -> None: ...
    def setTcpKeepAlive(self, enabled: bool) -> None: ...
    def getPeer(self) -> IAddress: ...
    def getHost(self) -> IAddress: ...


class Connections(Structure):
    """What the protocol uses of its factory."""

    def joined(self, connection: "FrameProtocol") -> None: ...
    def left(self, connection: "FrameProtocol") -> None: ...
    def budget_is_used(self) -> bool: ...
    def defer_reading(self, connection: "FrameProtocol", is_new: bool) -> None: ...
    def has_asked(self, connection: "FrameProtocol") -> None: ...
    def stalled(self, connection: "FrameProtocol") -> None: ...
    def reads_again(self, connection: "FrameProtocol") -> None: ...
    def heard(self, connection: "FrameProtocol") -> None: ...
    def heartbeat(self, connection: "FrameProtocol", interval: float) -> None: ...
    def needs_token(self, connection: "FrameProtocol") -> bool: ...
    def refusal(self, connection: "FrameProtocol", token: str) -> str: ...
    def tls_failed(self, connection: "FrameProtocol", failed: str) -> None: ...
    def end_later(self, connection: "FrameProtocol") -> None: ...
    def count_bad_stream(self, peer: "FrameProtocol", error: FrameError) -> None: ...
    def count_malformed(self, peer: "FrameProtocol", error: LarsError) -> None: ...
    def count_unknown(self, peer: "FrameProtocol", message_id: int) -> None: ...


@implementer(IPushProducer)
class FrameProtocol(Protocol):
    """One TCP connection of frames.

    A subclass has in `receivers` the method for each message id, and may override `peer_connected`, `peer_lost` and
    `writable_again`; it never sees bytes. A malformed body in a whole frame is counted and skipped. An invalid length
    ends the connection, because nothing after it can be read (docs/design/wire.md, frames).
    """

    longer: ClassVar[Mapping[int, int]] = {}
    """The longest body of messages that may be longer than MAX_BODY."""
    receivers: ClassVar[Mapping[int, Receiver]] = {}
    factory: Connections
    connected_to: str = "?"
    """The peer's address, for logs."""
    origin: str = ""
    """Whom the peer's address belongs to, for limits; empty if it has no IP address."""
    heard_at: float = 0.0
    """When something last arrived, or the connection was made, by the factory's clock; on the server's side only."""

    def __init__(self) -> None:
        self._decoder = FrameDecoder(self.longer)
        self._ended = False
        self.is_new = True
        """Whether nothing has been read yet."""
        self.reading = True
        """Whether this side reads from the peer; False after pause_reading."""
        self._deferred: bytes | None = None  # read from the transport, which is paused, in a turn without time for it
        self.writable = True
        """Whether the transport takes more. While it does not, a subclass holds back what it can."""

    @property
    def peer_host(self) -> str:
        """The peer's IP address as text; empty for what has none, such as a UNIX socket."""
        address = self.stream.getPeer()
        return address.host if isinstance(address, IPv4Address | IPv6Address) else ""

    @property
    def stream(self) -> Transport:
        """The transport, typed."""
        return cast(Transport, self.transport)

    @property
    def _socket(self) -> socket.socket | None:
        """The TCP socket beneath; None if there is none."""
        get_handle = getattr(self._tcp, "getHandle", None)
        handle = get_handle() if get_handle is not None else None
        return handle if isinstance(handle, socket.socket) else None

    @property
    def _tcp(self) -> Any:
        """The TCP transport, which may be beneath TLS; None if there is none."""
        beneath = self.transport.transport if isinstance(self.transport, TLSMemoryBIOProtocol) else self.transport
        return beneath if ITCPTransport.providedBy(beneath) else None

    def peer_knows_heartbeats(self) -> None:
        """Leaves it to heartbeats to find a peer that is gone: one that reads slowly is not."""
        if (handle := self._socket) is not None:
            await_readers(handle)

    def connectionMade(self) -> None:
        self.connected_to = host_and_port(self.stream.getPeer())
        if (tcp := self._tcp) is not None:
            tcp.setTcpNoDelay(True)
            tcp.setTcpKeepAlive(True)
            if (handle := self._socket) is not None:
                keep_alive(handle)
        self.stream.registerProducer(self, True)
        self.factory.joined(self)
        self.peer_connected()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._ended = True
        if failed := what_failed(self.transport, reason):
            self.factory.tls_failed(self, failed)
        self.factory.left(self)
        self.peer_lost(reason)

    def peer_connected(self) -> None:
        """Called when the connection is made; nothing has been read yet."""

    def peer_lost(self, reason: Failure) -> None:
        """Called when the connection is gone, once for each peer_connected."""

    def writable_again(self) -> None:
        """Called when the transport takes more again."""

    def pauseProducing(self) -> None:
        self.writable = False
        self.factory.stalled(self)

    def resumeProducing(self) -> None:
        self.writable = True
        self.factory.reads_again(self)
        self.writable_again()

    def stopProducing(self) -> None:
        self.writable = False

    def dataReceived(self, data: bytes) -> None:
        self.factory.heard(self)
        if self._deferred is not None:
            self._deferred += data  # TLS may hand over what it had read when the transport was paused
        elif self.factory.budget_is_used():
            self._deferred = data
            self.stream.pauseProducing()
            self.factory.defer_reading(self, self.is_new)
        else:
            self._read(data)

    def resume_deferred(self) -> None:
        """Reads what was deferred, and then from the transport again."""
        data, self._deferred = self._deferred, None
        if data is not None and not self._ended:
            if self.reading:
                self.stream.resumeProducing()
            self._read(data)

    def pause_reading(self) -> None:
        """Reads no more from the peer for now; what has been read already is still received."""
        self.reading = False
        self.stream.pauseProducing()

    def resume_reading(self) -> None:
        """Reads from the peer again."""
        self.reading = True
        if self._deferred is None:
            self.stream.resumeProducing()

    def _read(self, data: bytes) -> None:
        self.is_new = False
        passed_over = self._decoder.passed_over
        frames = self._decoder.feed(data)
        while not self._ended:
            try:
                frame = next(frames, None)
            except FrameError as error:
                self.factory.count_bad_stream(self, error)
                self.end()
                return
            if frame is None:
                if self._decoder.passed_over > passed_over:
                    self.factory.count_malformed(self, FrameError("a message is too long to be read"))
                return
            self._receive(*frame)

    def _receive(self, message_id: int, body: bytes) -> None:
        self.factory.has_asked(self)
        receiver = self.receivers.get(message_id)
        if receiver is None:
            self.factory.count_unknown(self, message_id)
            return
        try:
            message = decode_message(message_id, body)
        except FrameError as error:
            self.factory.count_malformed(self, error)
            return
        receiver(self, message)

    def send(self, message_id: MessageId, message: Message) -> None:
        """Writes one message as a frame; raises FrameError if it is too long for one."""
        self.stream.write(encode_message(message_id, message))

    def refuse(self, reason: str) -> None:
        """Says why, and closes the connection; nothing more is read from it."""
        self._ended = True
        self.send(MessageId.HELLO, Hello(refused=reason))
        self.stream.unregisterProducer()
        self.stream.loseConnection()
        self.factory.end_later(self)

    def end(self) -> None:
        """Drops the connection now; nothing more is read from it."""
        self._ended = True
        self.stream.abortConnection()


def host_and_port(address: object) -> str:
    """An address as logs show it."""
    if isinstance(address, IPv6Address):
        return f"[{address.host}]:{address.port}"
    return f"{address.host}:{address.port}" if isinstance(address, IPv4Address) else str(address)
