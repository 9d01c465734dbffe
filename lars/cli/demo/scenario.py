"""The demo's story: when a node starts to fail, when it heals, when one is added and when all has been seen."""

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto


class Cue(Enum):
    """What the demo is to do next, in the order of the story."""

    FAIL = auto()
    HEAL = auto()
    ADD = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Timing:
    """Lengths of the scenes in seconds; the longest story that the defaults allow takes 26."""

    steady: float = 6.0
    failing: float = 8.0
    returned: float = 3.0
    """How long the healed node is watched after its return."""
    return_limit: float = 8.0
    """How long after healing its return is waited for."""
    joined: float = 3.0
    """How long the added node is watched after its first call."""
    join_limit: float = 4.0
    """How long after `route add` its first call is waited for."""


class Story:
    """One run; `now` is in seconds, and the first one given is when all nodes are in rotation."""

    def __init__(self, now: float, timing: Timing | None = None) -> None:
        self._timing = timing or Timing()
        self._cues = deque(Cue)
        self._since = now

    def advance(self, now: float, returned_at: float | None, joined_at: float | None) -> Cue | None:
        """What to do now, if anything; each cue is given once, in order.

        Args:
            now: seconds.
            returned_at: when the failing node came back into rotation after healing, or None.
            joined_at: when the added node got its first call, or None.
        """
        if not self._cues or now < self._due(self._cues[0], returned_at, joined_at):
            return None
        self._since = now
        return self._cues.popleft()

    def _due(self, cue: Cue, returned_at: float | None, joined_at: float | None) -> float:
        timing = self._timing
        match cue:
            case Cue.FAIL:
                return self._since + timing.steady
            case Cue.HEAL:
                return self._since + timing.failing
            case Cue.ADD:
                return self._seen_or_late(returned_at, timing.returned, timing.return_limit)
            case Cue.END:
                return self._seen_or_late(joined_at, timing.joined, timing.join_limit)

    def _seen_or_late(self, seen_at: float | None, watch: float, limit: float) -> float:
        return self._since + limit if seen_at is None else seen_at + watch
