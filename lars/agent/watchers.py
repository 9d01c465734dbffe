"""The client processes that hear of a module's failures at once, rather than when they next ask.

See docs/design/agent.md, watchers.
"""

from collections.abc import Iterator

Address = tuple[str, int]
"""IP and port that a datagram came from."""

MAX_WATCHERS = 256
"""Processes that watch one module, at most; others learn when they next ask."""

LONGEST_WATCH = 60.0
"""Seconds for which a process watches, at most, after it has said so."""

NOTICES = 1_000
"""Datagrams to watchers that a shard sends in a second, at most, and at once: with what they cause, 2 % of its time."""


class Watchers:
    """Those of one module. `now` is in seconds, monotonic."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until: dict[Address, float] = {}

    def watch(self, address: Address, seconds: float, now: float) -> None:
        """From now on the process at the address watches, for at most so many seconds."""
        if address not in self._until and len(self._until) >= MAX_WATCHERS:
            self._forget(now)
            if len(self._until) >= MAX_WATCHERS:
                return
        self._until[address] = now + min(seconds, LONGEST_WATCH)

    def others(self, address: Address | None, now: float) -> Iterator[Address]:
        """The processes that watch now, without the one at the address."""
        self._forget(now)
        return (each for each in self._until if each != address)

    def _forget(self, now: float) -> None:
        for address in [address for address, until in self._until.items() if until <= now]:
            del self._until[address]


class NoticeBudget:
    """How many datagrams to watchers a shard may send: so many at once, and as many a second."""

    __slots__ = ("_at", "_left", "_rate")

    def __init__(self, rate: int = NOTICES) -> None:
        self._rate = self._left = float(rate)
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Whether one more may be sent."""
        self._left = min(self._rate, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
