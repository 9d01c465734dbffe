"""The agents whose clocks are off, each warned about once (docs/design/reporter.md, clocks)."""

from twisted.logger import Logger

from lars.db.clock import MAX_SKEW
from lars.route import format_ip

_log = Logger()

MAX_WARNED = 1000
"""Agents that are warned about; more are only counted, since any address may be reported."""

SETTLED = 10.0
"""Seconds that a clock must have been behind: until a fresh report comes, one that waited for a reporter looks so."""


class SkewedAgents:
    """The agents whose clocks are off by MAX_SKEW or more.

    Attributes:
        seconds: by how much each is ahead, by caller.
    """

    def __init__(self) -> None:
        self.seconds: dict[int, int] = {}
        self._since: dict[int, float] = {}
        self._warned: set[int] = set()

    @property
    def largest(self) -> int:
        """The largest skew in either direction, in seconds."""
        return max(map(abs, self.seconds.values()), default=0)

    def observe(self, caller: int, skew: int, now: float) -> None:
        """Takes the skew that a report has shown, in seconds; a caller that is new here is warned about.

        `now` is in seconds, monotonic.
        """
        if abs(skew) < MAX_SKEW:
            if self.seconds.pop(caller, None) is not None:
                self._warned.discard(caller)
            self._since.pop(caller, None)
            return
        self.seconds[caller] = skew
        if skew < 0 and now - self._since.setdefault(caller, now) < SETTLED:
            return
        if caller not in self._warned and len(self._warned) < MAX_WARNED:
            self._warned.add(caller)
            _log.warn(
                "the clock of agent {caller} is {seconds} s {way}: its calls are counted by their arrival; "
                "set the clock by NTP",
                caller=format_ip(caller),
                seconds=abs(skew),
                way="ahead" if skew > 0 else "behind",
            )

    def forget(self, caller: int) -> None:
        """The agent has left; it is not warned about again when it returns with the same clock."""
        self.seconds.pop(caller, None)
        self._since.pop(caller, None)
