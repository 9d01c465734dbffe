"""Which connection gives way to a new one where all places are taken: the one that has been silent longest. Pure.

See docs/design/wire.md, one connection.
"""

from collections import deque
from collections.abc import Callable, Collection
from typing import Generic, Protocol, TypeVar

QUIET = 60.0
"""Seconds of silence after which a connection without heartbeats gives way: four times as long as a C++ agent whose
processes ask takes to ask again."""

LOOK_INTERVAL = 1.0
"""Seconds between two looks at all connections: strangers who knock do not buy one each."""


class Heard(Protocol):
    """A connection that knows when its peer last sent something, in seconds."""

    heard_at: float


C = TypeVar("C", bound=Heard)


class QuietPeers(Generic[C]):
    """The connections that were silent at the last look, the longest silent first."""

    def __init__(self) -> None:
        self._found: deque[C] = deque()
        self._looked_at: float | None = None

    def longest(self, now: float, connections: Collection[C], may_go: Callable[[C], bool]) -> C | None:
        """The connection that has been silent longest, for QUIET at least; None if there is none.

        Args:
            now: the time, by the clock of `heard_at`.
            connections: those that are open.
            may_go: whether one may give way.
        """
        if self._looked_at is None or now - self._looked_at >= LOOK_INTERVAL:
            self._looked_at = now
            quiet = [c for c in connections if now - c.heard_at >= QUIET and may_go(c)]
            self._found = deque(sorted(quiet, key=lambda c: c.heard_at))
        while self._found:
            connection = self._found.popleft()
            if now - connection.heard_at >= QUIET and may_go(connection) and connection in connections:
                return connection
        return None
