"""Which silent hosts may leave their route: pure, `now` in seconds of a monotonic clock.

The rule is the self-preservation of Netflix Eureka: when most nodes of a service fall silent at once, the network to
them has failed rather than the nodes.
"""

import math
from collections import defaultdict, deque

from lars.db.leases import Silence
from lars.route import HostAddress, ModuleId


def leaving(silence: Silence, left_lately: int, ratio: float) -> frozenset[HostAddress]:
    """The silent hosts that may leave, the longest silent first.

    Of the hosts of the module, those included that have left lately, at most the share `ratio` (0 to 1) leaves. With a
    ratio below 1 the last host of a module never leaves.
    """
    there = silence.alive + len(silence.silent)
    least = math.ceil((there + left_lately) * (1 - ratio) - 1e-9)
    return frozenset(silence.silent[: max(0, there - least)])


class Departures:
    """Counts the hosts that silence removed from each module in the last `period` seconds, or since some are kept."""

    def __init__(self, period: float) -> None:
        self._period = period
        self._left: dict[ModuleId, deque[tuple[float, int]]] = defaultdict(deque)
        self._kept: frozenset[ModuleId] = frozenset()

    def lately(self, module: ModuleId, now: float) -> int:
        """Hosts that have left; while others are kept, those that left with them still count."""
        left = self._left.get(module)
        if left is None:
            return 0
        while left and module not in self._kept and now - left[0][0] > self._period:
            left.popleft()
        return sum(count for _when, count in left)

    def record(self, left: dict[ModuleId, int], kept: frozenset[ModuleId], now: float) -> None:
        """Takes the result of one search: hosts that `left` each module, and modules in which some are `kept`."""
        for module, count in left.items():
            self._left[module].append((now, count))
        for module in self._kept - kept:  # these hosts renew again: the period begins for those that left
            self._left[module] = deque([(now, self.lately(module, now))])
        self._kept = kept
        for module in [m for m in self._left if m not in kept and not self.lately(m, now)]:
            del self._left[module]
