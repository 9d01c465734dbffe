"""Which silent hosts may leave their route: pure, `now` in seconds of any clock that never goes back.

As Eureka does: when most nodes of a service seem to be gone at once, it is rather the network between them and us.
"""

import math
from collections import defaultdict, deque

from lars.db.leases import Silence
from lars.route import HostAddress, ModuleId


def leaving(silence: Silence, left_lately: int, ratio: float) -> frozenset[HostAddress]:
    """The silent hosts that may leave, the longest silent first.

    Of all hosts that the module had, those included that have left lately, at most the share `ratio` (0 to 1) leaves.
    With a ratio below 1 the last host of a module never does.
    """
    there = silence.alive + len(silence.silent)
    least = math.ceil((there + left_lately) * (1 - ratio) - 1e-9)
    return frozenset(silence.silent[: max(0, there - least)])


class Departures:
    """How many hosts have left each module by silence in the last `period` seconds, or since some are kept in it."""

    def __init__(self, period: float) -> None:
        self._period = period
        self._left: dict[ModuleId, deque[tuple[float, int]]] = defaultdict(deque)
        self._kept: frozenset[ModuleId] = frozenset()

    def lately(self, module: ModuleId, now: float) -> int:
        """Hosts that have left: while others are kept, none of those that left with them is forgotten."""
        left = self._left.get(module)
        if left is None:
            return 0
        while left and module not in self._kept and now - left[0][0] > self._period:
            left.popleft()
        return sum(count for _when, count in left)

    def record(self, left: dict[ModuleId, int], kept: frozenset[ModuleId], now: float) -> None:
        """What came of one look for silent hosts."""
        for module, count in left.items():
            self._left[module].append((now, count))
        for module in self._kept - kept:  # all is well again: what left with them begins to be forgotten
            self._left[module] = deque([(now, self.lately(module, now))])
        self._kept = kept
        for module in [m for m in self._left if m not in kept and not self.lately(m, now)]:
            del self._left[module]
