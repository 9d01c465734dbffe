"""Calls to hosts outside the route, counted until the next report (docs/design/agent.md, reports)."""

from lars.route import HostAddress

MAX_UNROUTED = 1000
"""Hosts outside the route that are counted for a module between two reports. A local process chooses their names."""


class UnroutedCounts:
    """The calls of one module to hosts that have left its route, or never were in it."""

    __slots__ = ("_counts", "dropped")

    def __init__(self) -> None:
        self._counts: dict[HostAddress, tuple[int, int]] = {}
        self.dropped = 0
        """Calls that were not counted because too many hosts were outside the route."""

    def __bool__(self) -> bool:
        return bool(self._counts)

    def count(self, address: HostAddress, failed: bool, calls: int = 1) -> None:
        """Counts calls to one host. Those to a host beyond MAX_UNROUTED are dropped, and counted as dropped."""
        if address not in self._counts and len(self._counts) >= MAX_UNROUTED:
            self.dropped += calls
        elif failed:
            self.add(address, 0, calls)
        else:
            self.add(address, calls, 0)

    def add(self, address: HostAddress, succ: int, err: int) -> None:
        """Counts the calls of a host that has left the route; none is dropped."""
        before = self._counts.get(address, (0, 0))
        self._counts[address] = (before[0] + succ, before[1] + err)

    def take(self) -> dict[HostAddress, tuple[int, int]]:
        """Returns successes and failures by host since the last take."""
        taken, self._counts = self._counts, {}
        return taken
