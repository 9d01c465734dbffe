"""For what share of the last seconds callers have ejected each host. Pure.

See docs/design/reporter.md, alarms.

Callers let an ejected host back every few seconds to try it, so the state at one moment says little.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from lars.db.measurements import HostStates

Host = tuple[int, int, int, int]
"""modid, cmdid, ip, port."""


class Ejections(NamedTuple):
    """The ejections of a host in a window.

    Attributes:
        now: its states at the latest evaluation.
        most: the largest number of callers that had ejected it at one time.
        of_time: the share of the time in which at least `min_callers` callers had ejected it, 0 to 1.
        of_callers: the share of its callers that had ejected it, on average over the time, 0 to 1.
    """

    now: HostStates
    most: int
    of_time: float
    of_callers: float


class EjectionWindow:
    """The states that the evaluations of one rule have found in the last `over` seconds.

    Only hosts that were ejected in that time take memory.
    """

    def __init__(self, over: float, min_callers: int) -> None:
        self._over = over
        self._min_callers = min_callers
        self._times: deque[float] = deque()
        self._ejected: dict[Host, deque[tuple[float, int, int]]] = {}

    def add(self, states: Iterable[HostStates], now: float) -> list[Ejections]:
        """Adds what an evaluation has found at `now` (seconds, monotonic); returns all hosts that it has found."""
        self._times.append(now)
        since = now - self._over
        while self._times[0] < since:
            self._times.popleft()
        found = []
        for state in states:
            host = state[:4]
            if state.overloaded_at:
                self._ejected.setdefault(host, deque()).append((now, state.overloaded_at, state.callers))
            found.append(state)
        for host, samples in list(self._ejected.items()):
            while samples and samples[0][0] < since:
                samples.popleft()
            if not samples:
                del self._ejected[host]
        return [self._ejections(state) for state in found]

    def _ejections(self, state: HostStates) -> Ejections:
        samples = self._ejected.get(state[:4], ())
        total = len(self._times)
        return Ejections(
            state,
            max((ejected for _at, ejected, _callers in samples), default=0),
            sum(ejected >= self._min_callers for _at, ejected, _callers in samples) / total,
            sum(ejected / callers for _at, ejected, callers in samples) / total,
        )
