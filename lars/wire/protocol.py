"""The one Twisted protocol that every TCP peer speaks: whole frames in, a table of methods, whole frames out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast
from typing import Protocol as Structure

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IAddress, IPushProducer, IReactorTime, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from lars.errors import LarsError
from lars.runtime.log_limit import LogLimit
from lars.wire.frames import FrameDecoder, FrameError
from lars.wire.messages import Message, MessageId, decode_message, encode_message
from lars.wire.turn import Turn

_log = Logger()

Receiver = Callable[[Any, Any], None]

FEW = 50
"""Connections that share a turn of the reactor without being told to."""


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


@dataclass(frozen=True, slots=True)
class Limits:
    """What a listening place bears. Times are in seconds; 0 means no limit."""

    max_connections: int = 0
    """More are closed and counted."""
    idle_timeout: float = 0
    """A connection that has not sent a whole frame this long after it was made is dropped."""
    stall_timeout: float = 0
    """A peer that has not read for so long, while there was something to read, is dropped."""


@implementer(IPushProducer)
class FrameProtocol(Protocol):
    """One TCP connection of frames.

    A subclass says in `receivers` which method takes which message, and may override `peer_connected`, `peer_lost`
    and `writable_again`; it never sees bytes. A malformed body in a whole frame is counted and skipped; a length that
    cannot be right ends the connection, because nothing after it can be read.
    """

    receivers: ClassVar[Mapping[int, Receiver]] = {}
    factory: "FrameFactory"
    connected_to: str = "?"
    """The peer's address, for logs."""

    def __init__(self) -> None:
        self._decoder = FrameDecoder()
        self._ended = False
        self.is_new = True
        """Whether nothing has been read yet."""
        self._reading = True
        self._put_off: bytes | None = None  # read from the transport, which is paused, in a turn that had no time
        self.writable = True
        """Whether the transport takes more; while it does not, a subclass keeps back what it can."""

    @property
    def stream(self) -> Transport:
        """The transport, typed."""
        return cast(Transport, self.transport)

    def connectionMade(self) -> None:
        self.connected_to = _written(self.stream.getPeer())
        if ITCPTransport.providedBy(self.transport):
            self.stream.setTcpNoDelay(True)
            self.stream.setTcpKeepAlive(True)
        self.stream.registerProducer(self, True)
        self.factory.joined(self)
        self.peer_connected()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._ended = True
        self.factory.left(self)
        self.peer_lost(reason)

    def peer_connected(self) -> None:
        """The connection stands; nothing has been read yet."""

    def peer_lost(self, reason: Failure) -> None:
        """The connection is gone; called once for each peer_connected."""

    def writable_again(self) -> None:
        """The peer has read what was waiting for it."""

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
        if self._put_off is not None:
            self._put_off += data  # TLS may hand over what it had read when the transport was paused
        elif self.factory.turn_is_spent():
            self._put_off = data
            self.stream.pauseProducing()
            self.factory.turn.put_off(self, self.is_new)
        else:
            self._read(data)

    def read_on(self) -> None:
        """Reads what was put off, and then from the transport again."""
        data, self._put_off = self._put_off, None
        if data is not None and not self._ended:
            if self._reading:
                self.stream.resumeProducing()
            self._read(data)

    def pause_reading(self) -> None:
        """Takes no more from the peer for now; what has been read already is still received."""
        self._reading = False
        self.stream.pauseProducing()

    def resume_reading(self) -> None:
        """Takes from the peer again."""
        self._reading = True
        if self._put_off is None:
            self.stream.resumeProducing()

    def _read(self, data: bytes) -> None:
        self.is_new = False
        frames = self._decoder.feed(data)
        while not self._ended:
            try:
                frame = next(frames, None)
            except FrameError as error:
                self.factory.count_bad_stream(self, error)
                self.end()
                return
            if frame is None:
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

    def end(self) -> None:
        """Drops the connection now; nothing that comes after is read."""
        self._ended = True
        self.stream.abortConnection()


def _written(address: IAddress | None) -> str:
    return f"{address.host}:{address.port}" if isinstance(address, IPv4Address) else str(address)


class FrameCounters:
    """What was wrong with the connections of one place so far."""

    def __init__(self) -> None:
        self.refused = 0
        """Connections over the limit."""
        self.idle = 0
        """Connections dropped because they never asked for anything."""
        self.stalled = 0
        """Connections dropped because they did not read."""
        self.bad_streams = 0
        """Connections dropped because of a length that cannot be right."""
        self.malformed = 0
        """Messages skipped because they cannot be right."""
        self.unknown = 0
        """Messages skipped because their id is not known."""


class FrameFactory(Factory):
    """The connections of one listening place or link, the limits they are under, and what was wrong with them."""

    protocol: Callable[[], FrameProtocol]  # type: ignore[assignment]
    noisy = False

    def __init__(self, clock: IReactorTime, limits: Limits | None = None) -> None:
        self.clock = clock
        self.connections: set[FrameProtocol] = set()
        self.counters = FrameCounters()
        self.turn = Turn(clock)
        self._limits = limits or Limits()
        self._log_limit = LogLimit(clock.seconds)
        # Both in the order of their times, so that a sweep touches only what is due.
        self._not_asked: dict[FrameProtocol, float] = {}
        self._not_reading: dict[FrameProtocol, float] = {}
        self._sweeping = LoopingCall(self.sweep)
        self._sweeping.clock = clock

    def startFactory(self) -> None:
        if self._limits.idle_timeout or self._limits.stall_timeout:
            self._sweeping.start(1.0, now=False)

    def stopFactory(self) -> None:
        if self._sweeping.running:
            self._sweeping.stop()

    def buildProtocol(self, addr: IAddress | None) -> FrameProtocol | None:  # type: ignore[override]
        limit = self._limits.max_connections
        if limit and len(self.connections) >= limit:
            self.counters.refused += 1
            self._tell(
                "refused",
                "connection from {peer} closed: {limit} connections are open, the limit (raise max_connections to "
                "allow more)",
                _written(addr),
                limit=limit,
            )
            return None
        protocol = self.protocol()
        protocol.factory = self
        return protocol

    def turn_is_spent(self) -> bool:
        """Whether the connections that share this turn of the reactor have had its time."""
        return len(self.connections) > FEW and self.turn.is_spent()

    def joined(self, connection: FrameProtocol) -> None:
        """A connection stands."""
        self.connections.add(connection)
        if self._limits.idle_timeout:
            self._not_asked[connection] = self.clock.seconds()

    def left(self, connection: FrameProtocol) -> None:
        """A connection is gone."""
        self.connections.discard(connection)
        self._not_asked.pop(connection, None)
        self._not_reading.pop(connection, None)

    def has_asked(self, connection: FrameProtocol) -> None:
        """A connection has sent a whole frame."""
        if self._not_asked:
            self._not_asked.pop(connection, None)

    def stalled(self, connection: FrameProtocol) -> None:
        """A connection's peer does not read; told again at each write meanwhile."""
        self._not_reading.setdefault(connection, self.clock.seconds())

    def reads_again(self, connection: FrameProtocol) -> None:
        """A connection's peer has read what waited for it."""
        self._not_reading.pop(connection, None)

    def sweep(self) -> None:
        """Drops the connections that are over a time limit; called by timer."""
        limits = self._limits
        for connection in self._overdue(self._not_asked, limits.idle_timeout):
            self.counters.idle += 1
            self._tell("idle", "connection from {peer} dropped: it has asked for nothing", connection.connected_to)
            connection.end()
        for connection in self._overdue(self._not_reading, limits.stall_timeout):
            self.counters.stalled += 1
            self._tell("stalled", "connection from {peer} dropped: it does not read", connection.connected_to)
            connection.end()

    def _overdue(self, since: dict[FrameProtocol, float], limit: float) -> list[FrameProtocol]:
        overdue: list[FrameProtocol] = []
        if limit:
            latest = self.clock.seconds() - limit
            for connection, moment in since.items():
                if moment > latest:
                    break
                overdue.append(connection)
        for connection in overdue:
            del since[connection]
        return overdue

    def count_bad_stream(self, peer: FrameProtocol, error: FrameError) -> None:
        """A stream that cannot be read on; the connection is about to be dropped."""
        self.counters.bad_streams += 1
        self._tell("bad stream", "connection from {peer} dropped: {error}", peer.connected_to, error=str(error))

    def count_malformed(self, peer: FrameProtocol, error: LarsError) -> None:
        """A whole frame whose body cannot be parsed, or whose content cannot be right; it is skipped."""
        self.counters.malformed += 1
        self._tell("malformed", "message from {peer} skipped: {error}", peer.connected_to, error=str(error))

    def count_unknown(self, peer: FrameProtocol, message_id: int) -> None:
        """A message id that this side does not take; it is skipped, so that newer peers may send more."""
        self.counters.unknown += 1
        event = ("unknown", min(max(message_id, 0), 100))
        text = "message {message_id} from {peer} skipped: not known here"
        self._tell(event, text, peer.connected_to, message_id=message_id)

    def _tell(self, event: object, text: str, peer: str, **values: object) -> None:
        if times := self._log_limit.tell(event):
            _log.warn(text + " ({times} such since the last line)", peer=peer, times=times, **values)

    async def close_connections(self, patience: float = 1.0) -> None:
        """Ends every connection: in order, or at once if the peer has not read what waits for it in time."""
        for connection in tuple(self.connections):
            connection.stream.unregisterProducer()  # a transport with one waits for more, TLS for ever
            connection.stream.loseConnection()
        deadline = self.clock.seconds() + patience
        while self.connections:
            await deferLater(self.clock, 0.01)
            if self.clock.seconds() >= deadline:
                for connection in tuple(self.connections):
                    connection.end()
