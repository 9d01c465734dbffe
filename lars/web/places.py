"""Which connection gets a place, and which gives up its own: pure (docs/design/web.md, connections).

When no place is free, the stranger who has waited longest without a whole request leaves for a new one, as in nginx,
which reuses idle connections when it runs out of them (src/core/ngx_connection.c, ngx_drain_connections). A whole
request takes a client milliseconds; who holds a place and sends little soon loses it.
"""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

C = TypeVar("C", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Decision(Generic[C]):
    """Whether a new connection gets a place, and which other one must give up its own for that."""

    admitted: bool
    displaced: C | None = None


class Places(Generic[C]):
    """The places of a site, some held by the known, who have shown a session or a token, the others by strangers.

    Args:
        most: places.
        most_strangers: places that strangers of one address hold at most; an empty address, that of a UNIX socket,
            has no such limit.
    """

    def __init__(self, most: int, most_strangers: int) -> None:
        self._most = most
        self._most_strangers = most_strangers
        self._addresses: dict[C, str] = {}
        self._known: set[C] = set()
        self._strangers: Counter[str] = Counter()
        self._waiting: dict[C, None] = {}  # strangers of whom no whole request is here, the longest waiting first
        self._waiting_at: dict[str, dict[C, None]] = {}

    def __len__(self) -> int:
        return len(self._addresses)

    def decide(self, address: str) -> Decision[C]:
        """What a new connection of an address gets. The displaced one has left already."""
        if address and self._strangers[address] >= self._most_strangers:
            decision = self._displace(self._waiting_at.get(address, {}))
        elif len(self._addresses) >= self._most:
            decision = self._displace(self._waiting)
        else:
            decision = Decision(True)
        return decision

    def _displace(self, waiting: dict[C, None]) -> Decision[C]:
        longest = next(iter(waiting), None)
        if longest is not None:
            self.left(longest)
        return Decision(longest is not None, longest)

    def arrived(self, connection: C, address: str) -> None:
        """A connection has a place, and waits to send its first request."""
        self._addresses[connection] = address
        self._strangers[address] += 1
        self.waits(connection)

    def waits(self, connection: C) -> None:
        """A connection's last request has been answered."""
        if connection in self._addresses and connection not in self._known:
            self._waiting[connection] = None
            self._waiting_at.setdefault(self._addresses[connection], {})[connection] = None

    def answered(self, connection: C) -> None:
        """A whole request is here: it is being answered, and its connection is not displaced meanwhile."""
        if connection in self._waiting:
            del self._waiting[connection]
            at_address = self._waiting_at[self._addresses[connection]]
            del at_address[connection]
            if not at_address:
                del self._waiting_at[self._addresses[connection]]

    def is_known(self, connection: C) -> bool:
        """Whether the connection's client has shown a session or a token."""
        return connection in self._known

    def recognized(self, connection: C) -> None:
        """The connection's client has shown a session or a token: it keeps its place."""
        if connection in self._addresses and connection not in self._known:
            self.answered(connection)
            self._known.add(connection)
            self._one_stranger_less(self._addresses[connection])

    def left(self, connection: C) -> None:
        """A connection is gone; harmless for one that was displaced."""
        if connection not in self._addresses:
            return
        self.answered(connection)
        address = self._addresses.pop(connection)
        if connection in self._known:
            self._known.discard(connection)
        else:
            self._one_stranger_less(address)

    def _one_stranger_less(self, address: str) -> None:
        self._strangers[address] -= 1
        if not self._strangers[address]:
            del self._strangers[address]
