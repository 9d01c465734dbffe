"""What business processes reported since the last report to lars-reporter, apart from the balancer's windows."""

from lars.route import HostAddress

MAX_STRANGERS = 1000
"""Hosts outside the route that are counted for a module between two reports; a local process chooses their names."""


class Tally:
    """The calls of one module by host.

    No reset of a balancer's window touches it, and a host that has left the route keeps its counts until they are
    taken.
    """

    __slots__ = ("_counts", "dropped")

    def __init__(self) -> None:
        self._counts: dict[HostAddress, list[int]] = {}
        self.dropped = 0

    def __bool__(self) -> bool:
        return bool(self._counts)

    def count(self, address: HostAddress, failed: bool, in_route: bool) -> None:
        """Counts one call; one to a stranger is dropped, and counted as such, when there are too many of them."""
        counts = self._counts.get(address)
        if counts is None:
            if not in_route and len(self._counts) >= MAX_STRANGERS:
                self.dropped += 1
                return
            counts = self._counts[address] = [0, 0]
        counts[failed] += 1

    def take(self) -> dict[HostAddress, tuple[int, int]]:
        """Successes and failures by host since the last take."""
        taken = {address: (succ, err) for address, (succ, err) in self._counts.items()}
        self._counts.clear()
        return taken
