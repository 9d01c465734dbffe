"""Calls since the last report, derived from the counters of a C++ agent, which restart with each window. Pure.

See docs/design/reporter.md, C++ agents.
"""

from collections.abc import Callable

from lars.route import ModuleId

Delta = Callable[[int, int, int], tuple[int, int]]
"""(packed host, successes, failures) as counted now -> successes and failures since the last report."""

FORGET_AFTER = 300.0
"""Seconds after which, and at the latest after twice that, a counter that was not reported is forgotten: the agent has
restarted it by then (its windows last 15 s), and the memory of a connection stays bounded by what it sends."""

_Key = tuple[int, ModuleId]


class CounterDeltas:
    """The counters reported on one connection. The first value of each is the base, from which nothing is derived."""

    __slots__ = ("_current", "_previous", "_since")

    def __init__(self, now: float) -> None:
        self._since = now
        self._current: dict[_Key, dict[int, tuple[int, int]]] = {}
        self._previous: dict[_Key, dict[int, tuple[int, int]]] = {}

    def expire(self, now: float) -> None:
        """Forgets counters that were not reported for FORGET_AFTER; called with each report. `now` is in seconds."""
        if now - self._since >= FORGET_AFTER:
            self._previous, self._current, self._since = self._current, {}, now

    def of(self, caller: int, module: ModuleId) -> Delta:
        """The counters of one caller's module."""
        key = (caller, module)
        current = self._current.setdefault(key, {})
        previous = self._previous.get(key, {})

        def delta(host: int, succ: int, err: int) -> tuple[int, int]:
            last = current.get(host) or previous.get(host)
            current[host] = succ, err
            if last is None:
                return 0, 0
            if succ < last[0] or err < last[1]:
                return succ, err  # restarted from 0
            return succ - last[0], err - last[1]

        return delta
