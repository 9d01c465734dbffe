"""The one Twisted protocol that every TCP peer speaks: whole frames in, a table of methods, whole frames out."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast
from typing import Protocol as Structure

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IAddress, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from lars.log_limit import LogLimit
from lars.wire.frames import FrameDecoder, FrameError
from lars.wire.messages import Message, MessageId, decode_message, encode_message

_log = Logger()

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


class FrameProtocol(Protocol):
    """One TCP connection of frames.

    A subclass says in `receivers` which method takes which message, and may override `peer_connected` and
    `peer_lost`; it never sees bytes. A malformed body in a whole frame is counted and skipped; a length that cannot
    be right ends the connection, because nothing after it can be read.
    """

    receivers: ClassVar[Mapping[int, Receiver]] = {}
    factory: "FrameFactory"
    connected_to: str = "?"
    """The peer's address, for logs."""

    def __init__(self) -> None:
        self._decoder = FrameDecoder()
        self._ended = False

    @property
    def stream(self) -> Transport:
        """The transport, typed."""
        return cast(Transport, self.transport)

    def connectionMade(self) -> None:
        peer = self.stream.getPeer()
        self.connected_to = f"{peer.host}:{peer.port}" if isinstance(peer, IPv4Address) else str(peer)
        if ITCPTransport.providedBy(self.transport):
            self.stream.setTcpNoDelay(True)
            self.stream.setTcpKeepAlive(True)
        self.factory.connections.add(self)
        self.peer_connected()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._ended = True
        self.factory.connections.discard(self)
        self.peer_lost(reason)

    def peer_connected(self) -> None:
        """The connection stands; nothing has been read yet."""

    def peer_lost(self, reason: Failure) -> None:
        """The connection is gone; called once for each peer_connected."""

    def dataReceived(self, data: bytes) -> None:
        try:
            for message_id, body in self._decoder.feed(data):
                if self._ended:
                    return
                self._receive(message_id, body)
        except FrameError as error:
            self.factory.count_bad_stream(self, error)
            self.end()

    def _receive(self, message_id: int, body: bytes) -> None:
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

    def end(self) -> None:
        """Drops the connection now; nothing that comes after is read."""
        self._ended = True
        self.stream.abortConnection()


class FrameFactory(Factory):
    """The connections of one listening place or link, and what was wrong with what they sent.

    `max_connections` (0: no limit) closes and counts what comes above it.
    """

    protocol: Callable[[], FrameProtocol]  # type: ignore[assignment]
    noisy = False

    def __init__(self, now: Callable[[], float], max_connections: int = 0) -> None:
        self.connections: set[FrameProtocol] = set()
        self.refused = 0
        self.bad_streams = 0
        self.malformed = 0
        self.unknown = 0
        self._max_connections = max_connections
        self._limit = LogLimit(now)

    def buildProtocol(self, addr: IAddress | None) -> FrameProtocol | None:  # type: ignore[override]
        if self._max_connections and len(self.connections) >= self._max_connections:
            self.refused += 1
            if times := self._limit.tell("refused"):
                _log.warn(
                    "connection from {peer} closed: {limit} connections are open, the limit; {times} so closed since "
                    "the last line (raise max_connections to allow more)",
                    peer=addr,
                    limit=self._max_connections,
                    times=times,
                )
            return None
        protocol = self.protocol()
        protocol.factory = self
        return protocol

    def count_bad_stream(self, peer: FrameProtocol, error: FrameError) -> None:
        """A stream that cannot be read on; the connection is about to be dropped."""
        self.bad_streams += 1
        if times := self._limit.tell("bad stream"):
            _log.warn(
                "connection from {peer} dropped: {error} ({times} such since the last line)",
                peer=peer.connected_to,
                error=str(error),
                times=times,
            )

    def count_malformed(self, peer: FrameProtocol, error: FrameError) -> None:
        """A whole frame whose body cannot be parsed, or whose content cannot be right; it is skipped."""
        self.malformed += 1
        if times := self._limit.tell("malformed"):
            _log.warn(
                "message from {peer} skipped: {error} ({times} such since the last line)",
                peer=peer.connected_to,
                error=str(error),
                times=times,
            )

    def count_unknown(self, peer: FrameProtocol, message_id: int) -> None:
        """A message id that this side does not take; it is skipped, so that newer peers may send more."""
        self.unknown += 1
        if times := self._limit.tell(("unknown", min(max(message_id, 0), 100))):
            _log.info(
                "message {message_id} from {peer} skipped: not known here ({times} such since the last line)",
                peer=peer.connected_to,
                message_id=message_id,
                times=times,
            )

    def drop_all(self) -> None:
        """Ends every connection, once the frames already written have gone out."""
        for connection in tuple(self.connections):
            connection.stream.loseConnection()


def says_nothing_new(reason: Failure) -> bool:
    """Whether a connection ended in one of the ways that connections end: closed by either side, in order."""
    return reason.check(ConnectionDone, ConnectionAborted) is not None
