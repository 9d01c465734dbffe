"""What happened, from the counters of a C++ agent, which run within a window and restart with each. Pure.

See docs/design/reporter.md, C++ agents.
"""

from collections.abc import Callable

from lars.route import ModuleId

Derive = Callable[[int, int, int], tuple[int, int]]
"""From a packed host and its counters now: the successes and failures since they were last seen."""

FORGET_AFTER = 300.0
"""Seconds after which, and at the latest after twice that, a counter that is not seen is forgotten: the agent has
restarted it by then (its windows last 15 s), and the memory of a connection stays bounded by what it sends."""

_Key = tuple[int, ModuleId]


class CounterDeltas:
    """The counters seen on one connection. The first value of each is the base, and says nothing of what happened."""

    __slots__ = ("_older", "_seen", "_since")

    def __init__(self, now: float) -> None:
        self._since = now
        self._seen: dict[_Key, dict[int, tuple[int, int]]] = {}
        self._older: dict[_Key, dict[int, tuple[int, int]]] = {}

    def age(self, now: float) -> None:
        """Forgets what has not been seen for long; called with each report."""
        if now - self._since >= FORGET_AFTER:
            self._older, self._seen, self._since = self._seen, {}, now

    def of(self, caller: int, module: ModuleId) -> Derive:
        """The counters of one caller's module."""
        key = (caller, module)
        seen = self._seen.setdefault(key, {})
        older = self._older.get(key, {})

        def derive(host: int, succ: int, err: int) -> tuple[int, int]:
            last = seen.get(host) or older.get(host)
            seen[host] = succ, err
            if last is None:
                return 0, 0
            if succ < last[0] or err < last[1]:
                return succ, err  # restarted from 0
            return succ - last[0], err - last[1]

        return derive
