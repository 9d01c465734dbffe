"""The connections of one listening place or link, the limits that they are under, and what was wrong with them."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.logger import Logger

from lars.errors import LarsError
from lars.networks import origin
from lars.runtime.admission import Admission
from lars.runtime.log_limit import LogLimit
from lars.runtime.periodic import Periodic
from lars.wire.frames import FrameError
from lars.wire.heartbeats import PeerPulses
from lars.wire.protocol import FrameProtocol, host_and_port
from lars.wire.quiet_peers import QuietPeers
from lars.wire.read_budget import ReadBudget

_log = Logger()

GIVES_WAY = 10.0
"""Seconds after which a connection that has sent nothing gives its place to a new one, where all are taken."""

CLOSING = 1.0
"""Seconds for a refused peer to read why."""

FEW = 50
"""Connections that read without a budget: with so few, a turn of the reactor is short anyway."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a listening place. Times are in seconds; 0 means no limit."""

    max_connections: int = 0
    """Connections beyond this number are closed and counted."""
    idle_timeout: float = 0
    """A connection that has not sent a whole frame this long after it was made is dropped."""
    stall_timeout: float = 0
    """A peer that has not read for this long, while there was something to read, is dropped."""
    max_per_address: int = 0
    """Connections of one address, or of an IPv6 /64, beyond this number are closed and counted."""


class FrameCounters:
    """What was wrong with the connections of one place so far."""

    def __init__(self) -> None:
        self.refused = 0
        """Connections over the limit."""
        self.crowded = 0
        """Connections over the limit of one address."""
        self.quiet = 0
        """Connections without heartbeats that fell silent, and gave way to others where all places were taken."""
        self.idle = 0
        """Connections dropped because they never asked for anything."""
        self.stalled = 0
        """Connections dropped because they did not read."""
        self.silent = 0
        """Connections dropped because their heartbeats ended."""
        self.bad_streams = 0
        """Connections dropped because of an invalid length."""
        self.tls = 0
        """Connections dropped because of TLS: without it, or with a certificate that is not accepted."""
        self.malformed = 0
        """Messages skipped because they are invalid."""
        self.unknown = 0
        """Messages skipped because their id is not known."""

    def dropped(self) -> Mapping[str, int]:
        """Connections closed by this side, by the name of the reason."""
        reasons = ("refused", "crowded", "idle", "quiet", "stalled", "silent", "bad_streams", "tls")
        return {reason: getattr(self, reason) for reason in reasons}


class FrameFactory(Factory):
    """The connections of one listening place or link.

    Args:
        clock: the reactor, or a Clock in tests.
        limits: none by default.
        admission: who must present a token, and which are accepted; nobody by default.
    """

    protocol: Callable[[], FrameProtocol]  # type: ignore[assignment]
    noisy = False

    def __init__(self, clock: IReactorTime, limits: Limits | None = None, admission: Admission | None = None) -> None:
        self.clock = clock
        self._admission = admission
        self.connections: set[FrameProtocol] = set()
        self.counters = FrameCounters()
        self._budget = ReadBudget(clock)
        self._limits = limits or Limits()
        self._log_limit = LogLimit(clock.seconds)
        self._of_origin: Counter[str] = Counter()
        self._quiet: QuietPeers[FrameProtocol] = QuietPeers()
        # Both in the order of their times, so that a sweep touches only what is due.
        self._not_asked: dict[FrameProtocol, float] = {}
        self._not_reading: dict[FrameProtocol, float] = {}
        self._pulses: PeerPulses[FrameProtocol] = PeerPulses()
        self._sweeping = Periodic("dropping connections over a limit", 1.0, self.sweep, clock)

    def startFactory(self) -> None:
        if self._limits.idle_timeout or self._limits.stall_timeout:
            self._sweeping.start()

    def stopFactory(self) -> None:
        self._sweeping.stop()

    def buildProtocol(self, addr: IAddress | None) -> FrameProtocol | None:  # type: ignore[override]
        of = origin(addr.host) if isinstance(addr, IPv4Address | IPv6Address) else ""
        if self._is_crowded(of):
            self.counters.crowded += 1
            self._log_bounded(
                "crowded",
                "connection from {peer} closed: its address has {limit} open, the limit (max_per_address)",
                host_and_port(addr),
                limit=self._limits.max_per_address,
            )
            return None
        limit = self._limits.max_connections
        if limit and len(self.connections) >= limit and not self._make_room():
            self.counters.refused += 1
            self._log_bounded(
                "refused",
                "connection from {peer} closed: {limit} connections are open, the limit (raise max_connections to "
                "allow more)",
                host_and_port(addr),
                limit=limit,
            )
            return None
        protocol = self.protocol()
        protocol.factory = self
        protocol.origin = of
        return protocol

    def _is_crowded(self, of: str) -> bool:
        limit = self._limits.max_per_address
        return bool(limit and of) and self._of_origin[of] >= limit

    def _make_room(self) -> bool:
        """Drops the oldest connection that has sent nothing for GIVES_WAY seconds, or else the one that is silent."""
        now = self.clock.seconds()
        connection, since = next(iter(self._not_asked.items()), (None, 0.0))
        if connection is not None and now - since >= GIVES_WAY:
            self.connections.discard(connection)
            del self._not_asked[connection]
            self._drop_idle(connection)
            return True
        quiet = self._quiet.longest(now, self.connections, lambda c: c not in self._pulses and c.reading)
        if quiet is None:
            return False
        self.connections.discard(quiet)
        self.counters.quiet += 1
        text = "connection from {peer} dropped: it is silent, has no heartbeats, and all places are taken"
        self._log_bounded("quiet", text, quiet.connected_to)
        quiet.end()
        return True

    def budget_is_used(self) -> bool:
        """Whether this turn of the reactor has no more time for reading."""
        return len(self.connections) > FEW and self._budget.is_spent()

    def defer_reading(self, connection: FrameProtocol, is_new: bool) -> None:
        """Has the connection resumed in a later turn; `is_new` if it has read nothing so far."""
        self._budget.defer(connection, is_new)

    def joined(self, connection: FrameProtocol) -> None:
        """Notes that a connection is made."""
        self.connections.add(connection)
        connection.heard_at = self.clock.seconds()
        self._of_origin[connection.origin] += 1
        if self._limits.idle_timeout:
            self._not_asked[connection] = connection.heard_at

    def left(self, connection: FrameProtocol) -> None:
        """Notes that a connection is gone."""
        self.connections.discard(connection)
        self._of_origin[connection.origin] -= 1
        if not self._of_origin[connection.origin]:
            del self._of_origin[connection.origin]
        self._not_asked.pop(connection, None)
        self._not_reading.pop(connection, None)
        self._pulses.left(connection)

    def has_asked(self, connection: FrameProtocol) -> None:
        """Notes that a connection has sent a whole frame."""
        if self._not_asked:
            self._not_asked.pop(connection, None)

    def stalled(self, connection: FrameProtocol) -> None:
        """Notes that a connection's peer does not read; called for each write until it does."""
        self._not_reading.setdefault(connection, self.clock.seconds())

    def reads_again(self, connection: FrameProtocol) -> None:
        """Notes that a connection's peer reads again."""
        self._not_reading.pop(connection, None)

    def heard(self, connection: FrameProtocol) -> None:
        """Notes that something has arrived."""
        connection.heard_at = self.clock.seconds()
        if self._pulses:
            self._pulses.heard(connection)

    def heartbeat(self, connection: FrameProtocol, interval: float) -> None:
        """Notes a heartbeat; the next one follows within `interval` seconds, or the peer is gone."""
        self._pulses.heartbeat(connection, interval, self.clock.seconds())
        connection.peer_knows_heartbeats()

    def sweep(self) -> None:
        """Drops the connections that are over a time limit; called by timer."""
        limits = self._limits
        for connection in self._overdue(self._not_asked, limits.idle_timeout):
            self._drop_idle(connection)
        for connection in self._overdue(self._not_reading, limits.stall_timeout):
            self.counters.stalled += 1
            self._log_bounded("stalled", "connection from {peer} dropped: it does not read", connection.connected_to)
            connection.end()

        for connection in self._pulses.silent(self.clock.seconds(), lambda c: c.reading):
            self.counters.silent += 1
            self._log_bounded("silent", "connection from {peer} dropped: its heartbeats ended", connection.connected_to)
            connection.end()

    def _drop_idle(self, connection: FrameProtocol) -> None:
        self.counters.idle += 1
        self._log_bounded("idle", "connection from {peer} dropped: it has sent no request", connection.connected_to)
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

    def needs_token(self, connection: FrameProtocol) -> bool:
        """Whether the first message of a connection must have a token."""
        return self._admission is not None and self._admission.needs_token(connection.peer_host)

    def refusal(self, connection: FrameProtocol, token: str) -> str:
        """Why a connection is refused that presents a token, or none; empty if the token is accepted."""
        return "" if self._admission is None else self._admission.refusal(connection.connected_to, token)

    def tls_failed(self, connection: FrameProtocol, failed: str) -> None:
        """Counts a connection that TLS has ended, and what the peer did."""
        self.counters.tls += 1
        text = "connection from {peer} dropped: {failed}; this port demands TLS and a certificate of tls_ca"
        self._log_bounded(("tls", failed), text, connection.connected_to, failed=failed)

    def end_later(self, connection: FrameProtocol) -> None:
        """Ends a connection that is closing, if its peer does not."""
        self.clock.callLater(CLOSING, self._end_if_open, connection)

    def _end_if_open(self, connection: FrameProtocol) -> None:
        if connection in self.connections:
            connection.end()

    def count_bad_stream(self, peer: FrameProtocol, error: FrameError) -> None:
        """Counts a stream that cannot be read any further; its connection is about to be dropped."""
        self.counters.bad_streams += 1
        self._log_bounded("bad stream", "connection from {peer} dropped: {error}", peer.connected_to, error=str(error))

    def count_malformed(self, peer: FrameProtocol, error: LarsError) -> None:
        """Counts a whole frame whose body cannot be parsed, or whose content is invalid; it is skipped."""
        self.counters.malformed += 1
        self._log_bounded("malformed", "message from {peer} skipped: {error}", peer.connected_to, error=str(error))

    def count_unknown(self, peer: FrameProtocol, message_id: int) -> None:
        """Counts a message id that is unknown here; the frame is skipped, so that newer peers may send more."""
        self.counters.unknown += 1
        event = ("unknown", min(max(message_id, 0), 100))
        text = "message {message_id} from {peer} skipped: it is unknown here"
        self._log_bounded(event, text, peer.connected_to, message_id=message_id)

    def _log_bounded(self, event: object, text: str, peer: str, **values: object) -> None:
        if times := self._log_limit.admit(event):
            _log.warn(text + " ({times} such since the last line)", peer=peer, times=times, **values)

    async def close_connections(self, patience: float = 1.0) -> None:
        """Ends every connection, in order if its peer reads what is left within `patience` seconds, at once if not."""
        for connection in tuple(self.connections):
            connection.stream.unregisterProducer()  # a transport with one waits for more, TLS for ever
            connection.stream.loseConnection()
        deadline = self.clock.seconds() + patience
        while self.connections:
            await deferLater(self.clock, 0.01)
            if self.clock.seconds() >= deadline:
                for connection in tuple(self.connections):
                    connection.end()
