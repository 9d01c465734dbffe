"""The demo's scenario: when which node fails, slows down, recovers and joins, and when the demo ends. Pure."""

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto


class Step(Enum):
    """What the demo does next, in this order."""

    FAIL = auto()
    RECOVER = auto()
    SLOW_DOWN = auto()
    SPEED_UP = auto()
    ADD = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Timing:
    """Lengths of the phases in seconds; with the defaults all of them take 30 as a rule, and 43 at most.

    The second probe of an ejected node is due 8 to 12 s after the first one: what happens to the slow node ends before
    that (docs/design/balancing.md, ejection).
    """

    steady: float = 4.0
    probed: float = 0.5
    """After the failing node's first failed probe."""
    probe_limit: float = 15.0
    """From the node's failure until that probe must have failed."""
    recovered: float = 1.0
    slow: float = 5.0
    regained: float = 1.0
    """After the node that failed has its full share again."""
    regain_limit: float = 12.0
    """From the end of the slow phase until then."""
    joined: float = 2.0
    """After the added node's first call."""
    join_limit: float = 4.0
    """From `route add` until the added node must have its first call."""


@dataclass(frozen=True, slots=True)
class Seen:
    """When what a scenario waits for was seen, or None.

    Attributes:
        probed_at: the failing node was probed in vain.
        regained_at: it had its full share of calls again, after its recovery.
        joined_at: the added node got its first call.
    """

    probed_at: float | None = None
    regained_at: float | None = None
    joined_at: float | None = None


class Scenario:
    """One run; `now` is in seconds, and the first one is when all nodes are healthy."""

    def __init__(self, now: float, timing: Timing | None = None) -> None:
        self._timing = timing or Timing()
        self._steps = deque(Step)
        self._since = now

    def advance(self, now: float, seen: Seen) -> Step | None:
        """The step to take now, or None; returns each step once, in order."""
        if not self._steps or now < self._due(self._steps[0], seen):
            return None
        self._since = now
        return self._steps.popleft()

    def _due(self, step: Step, seen: Seen) -> float:
        timing = self._timing
        match step:
            case Step.FAIL:
                return self._since + timing.steady
            case Step.RECOVER:
                return self._after_event(seen.probed_at, timing.probed, timing.probe_limit)
            case Step.SLOW_DOWN:
                return self._since + timing.recovered
            case Step.SPEED_UP:
                return self._since + timing.slow
            case Step.ADD:
                return self._after_event(seen.regained_at, timing.regained, timing.regain_limit)
            case Step.END:
                return self._after_event(seen.joined_at, timing.joined, timing.join_limit)

    def _after_event(self, event_at: float | None, watch: float, limit: float) -> float:
        return self._since + limit if event_at is None else event_at + watch
