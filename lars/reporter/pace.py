"""How much one peer may report: rows a minute, and callers. Pure.

See docs/design/reporter.md, limits of a peer.
"""

from dataclasses import dataclass

WINDOW = 60.0
"""Seconds in which a peer's rows are counted."""


@dataclass(frozen=True, slots=True)
class PaceLimits:
    """The limits of one connection."""

    rows: int = 300_000
    """Rows in a WINDOW; a peer that has sent as many is not read from until it ends."""
    callers: int = 16
    """Distinct callers; the reports of further ones end the connection."""


class Pace:
    """What one connection has reported lately. Times are in seconds, monotonic."""

    __slots__ = ("_callers", "_limits", "_rows", "_since")

    def __init__(self, limits: PaceLimits) -> None:
        self._limits = limits
        self._callers: set[int] = set()
        self._rows = 0
        self._since = 0.0

    def admits(self, caller: int) -> bool:
        """Whether a caller is among the first so many of this connection."""
        if caller not in self._callers:
            if len(self._callers) >= self._limits.callers:
                return False
            self._callers.add(caller)
        return True

    def add(self, rows: int, now: float) -> bool:
        """Counts rows; whether they are as many as there may be in this window, or more."""
        if not 0 <= now - self._since < WINDOW:
            self._since, self._rows = now, 0
        self._rows += rows
        return self._rows >= self._limits.rows

    def must_wait(self, now: float) -> bool:
        """Whether the window lasts in which there were too many rows."""
        return self._rows >= self._limits.rows and 0 <= now - self._since < WINDOW
