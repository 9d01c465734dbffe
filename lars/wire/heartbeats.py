"""Heartbeats: which peers know them, when one is due, and when a peer is silent for too long. Pure.

See docs/design/wire.md, heartbeats.
"""

from collections.abc import Callable
from enum import Enum
from typing import Generic, TypeVar

INTERVAL = 10.0
"""Seconds between two heartbeats, by default."""

PATIENCE = 2.5
"""Intervals of silence after which a peer counts as gone: two heartbeats and their answers have been lost."""

PEER = 2
"""The `peer` of a request whose sender knows heartbeats."""

MAX_INTERVAL = 3600.0
"""The longest interval that a peer may announce, in seconds."""

C = TypeVar("C")


class Due(Enum):
    """What one connection needs now."""

    NOTHING = "nothing"
    HEARTBEAT = "heartbeat"
    LEAVE = "leave"


class LinkPulse:
    """One connection as the side sees it that sends heartbeats. Times are in seconds, monotonic.

    Silence is counted by the ticks in which it was observed, so that a process which was stopped itself does not take
    the time for its peer's silence.

    Args:
        interval: seconds between two heartbeats.
        now: when the connection was made.
        expected: whether the peer must answer although it has not shown yet that it knows heartbeats.
    """

    def __init__(self, interval: float, now: float, expected: bool = False) -> None:
        self.interval = interval
        self.knows = False
        """Whether the peer has sent a heartbeat."""
        self.heard_at: float | None = None
        """When anything last arrived."""
        self.expected = expected
        """Whether it must answer anyway."""
        self._silence = 0.0
        self._ticked_at = now
        self._sent_at = now

    @property
    def patience(self) -> float:
        """Seconds of silence after which the peer is left."""
        return PATIENCE * self.interval

    def heard(self, now: float) -> None:
        """Notes that something arrived, be it part of a message."""
        self.heard_at = now
        self._silence = 0.0

    def tick(self, now: float) -> Due:
        """What is due; called several times an interval."""
        self._silence += min(now - self._ticked_at, self.interval / 2)
        self._ticked_at = now
        if not (self.knows or self.expected):
            return Due.NOTHING
        if self._silence >= self.patience:
            return Due.LEAVE
        if now - self._sent_at >= self.interval:
            self._sent_at = now
            return Due.HEARTBEAT
        return Due.NOTHING


class PeerPulses(Generic[C]):
    """The connections of one listening place whose peers send heartbeats."""

    def __init__(self) -> None:
        self._waits: dict[C, tuple[float, float]] = {}  # connection: when it is next looked at, and its patience
        self._alive: set[C] = set()
        self._swept_at: float | None = None

    def __len__(self) -> int:
        return len(self._waits)

    def __contains__(self, connection: C) -> bool:
        return connection in self._waits

    def heartbeat(self, connection: C, interval: float, now: float) -> None:
        """Notes a heartbeat, whose sender announces the interval until the next."""
        patience = PATIENCE * min(max(interval, 0.01), MAX_INTERVAL)
        self._waits.pop(connection, None)
        self._waits[connection] = (now + patience, patience)
        self._alive.discard(connection)

    def heard(self, connection: C) -> None:
        """Notes that something else arrived."""
        if connection in self._waits:
            self._alive.add(connection)

    def left(self, connection: C) -> None:
        """Forgets a connection."""
        self._waits.pop(connection, None)
        self._alive.discard(connection)

    def silent(self, now: float, reads: Callable[[C], bool]) -> list[C]:
        """The connections that have been silent for too long although this side `reads` them; each is forgotten."""
        late = 0.0 if self._swept_at is None else max(0.0, now - self._swept_at - 5.0)
        self._swept_at = now
        if late:  # this process stood still: what has arrived meanwhile is not read yet
            self._waits = {c: (at + late, patience) for c, (at, patience) in self._waits.items()}
        due = [connection for connection, (at, _patience) in self._waits.items() if at <= now]
        gone = []
        for connection in due:
            if connection in self._alive or not reads(connection):
                self._alive.discard(connection)
                self._waits[connection] = (now + self._waits[connection][1], self._waits[connection][1])
            else:
                self.left(connection)
                gone.append(connection)
        return gone
