"""How far the clock of an agent is off, and when its calls happened by the clock of the database. Pure.

See docs/design/reporter.md, clocks.
"""

WINDOW = 30.0
"""Seconds after which, and at the latest after twice that, an agent's clock that was set back is noticed."""

MAX_AGE = 3600
"""Seconds: calls that are older than this, or lie ahead, count for the minute of their arrival."""


class AgentClock:
    """The skew of one agent's clock: by how many seconds it is ahead.

    A report that waited looks like one from a slow clock. The largest difference of the last WINDOW is that of the
    report that waited least, and shows the skew (the minimum filter of NTP, RFC 5905, section 10).
    """

    __slots__ = ("_latest", "_previous", "_since")

    def __init__(self) -> None:
        self._since = 0.0
        self._latest: int | None = None
        self._previous: int | None = None

    def observe(self, ts: int, now: float) -> int:
        """Takes a report that is dated `ts` and arrives `now`, both in Unix seconds; returns the skew in seconds."""
        if not 0 <= now - self._since < WINDOW:
            self._previous = self._latest if now - self._since < 2 * WINDOW else None
            self._latest, self._since = None, now
        difference = ts - int(now)
        if self._latest is None or difference > self._latest:
            self._latest = difference
        return self._latest if self._previous is None else max(self._latest, self._previous)


def happened_at(ts: int, now: float, skew: int) -> int:
    """When the calls of a report happened: its ts by the right clock, or its arrival if that is impossible or too old.

    Args:
        ts: the report's own time, in Unix seconds.
        now: when it arrives, in Unix seconds.
        skew: seconds by which the agent's clock is ahead.
    """
    at = ts - skew
    return at if now - MAX_AGE <= at <= now else int(now)
