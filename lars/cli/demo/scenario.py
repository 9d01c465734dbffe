"""The demo's scenario: when a node starts to fail and recovers, when one is added, and when the demo ends. Pure."""

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto


class Step(Enum):
    """What the demo does next, in this order."""

    FAIL = auto()
    RECOVER = auto()
    ADD = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Timing:
    """Lengths of the phases in seconds; with the defaults all of them take 32 at most."""

    steady: float = 6.0
    failing: float = 8.0
    restored: float = 3.0
    """After the node that failed is restored."""
    restore_limit: float = 8.0
    """From the node's recovery until it must be restored."""
    joined: float = 3.0
    """After the added node's first call."""
    join_limit: float = 4.0
    """From `route add` until the added node must have its first call."""


class Scenario:
    """One run; `now` is in seconds, and the first one is when all nodes are healthy."""

    def __init__(self, now: float, timing: Timing | None = None) -> None:
        self._timing = timing or Timing()
        self._steps = deque(Step)
        self._since = now

    def advance(self, now: float, restored_at: float | None, joined_at: float | None) -> Step | None:
        """The step to take now, or None; returns each step once, in order.

        Args:
            now: seconds.
            restored_at: when the node was restored after its recovery, or None.
            joined_at: when the added node got its first call, or None.
        """
        if not self._steps or now < self._due(self._steps[0], restored_at, joined_at):
            return None
        self._since = now
        return self._steps.popleft()

    def _due(self, step: Step, restored_at: float | None, joined_at: float | None) -> float:
        timing = self._timing
        match step:
            case Step.FAIL:
                return self._since + timing.steady
            case Step.RECOVER:
                return self._since + timing.failing
            case Step.ADD:
                return self._after_event(restored_at, timing.restored, timing.restore_limit)
            case Step.END:
                return self._after_event(joined_at, timing.joined, timing.join_limit)

    def _after_event(self, event_at: float | None, watch: float, limit: float) -> float:
        return self._since + limit if event_at is None else event_at + watch
