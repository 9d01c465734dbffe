"""What business processes reported since the last report to lars-reporter, apart from the balancer's windows."""

from collections.abc import Container

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
        """Calls of strangers that were not counted."""

    def __bool__(self) -> bool:
        return any(succ or err for succ, err in self._counts.values())

    def counts(self, address: HostAddress) -> list[int]:
        """[successes, failures] of a host of the route, to be increased in place; the same list until the host goes."""
        counts = self._counts.get(address)
        if counts is None:
            counts = self._counts[address] = [0, 0]
        return counts

    def count(self, address: HostAddress, failed: bool, in_route: bool) -> None:
        """Counts one call; one to a stranger is dropped, and counted as such, when there are too many of them."""
        if not in_route and address not in self._counts and len(self._counts) >= MAX_STRANGERS:
            self.dropped += 1
            return
        self.counts(address)[failed] += 1

    def take(self, route: Container[HostAddress]) -> dict[HostAddress, tuple[int, int]]:
        """Successes and failures by host since the last take; hosts outside the route are then forgotten."""
        taken = {}
        for address, counts in list(self._counts.items()):
            if counts[0] or counts[1]:
                taken[address] = (counts[0], counts[1])
                counts[0] = counts[1] = 0
            if address not in route:
                del self._counts[address]
        return taken
