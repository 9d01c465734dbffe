"""Successful calls that a caller counted for a while, by host, and reports together."""

from typing import NamedTuple

from lars.route import HostAddress


class Gathered(NamedTuple):
    """How many calls succeeded, and what they cost.

    Attributes:
        calls: their number.
        cost: the seconds that `timed` of them took, in all.
        timed: those whose duration is known.
    """

    calls: int
    cost: float = 0.0
    timed: int = 0


class GatheredByHost:
    """What is to be reported of some hosts, whether or not they are still in the route."""

    __slots__ = ("_hosts",)

    def __init__(self) -> None:
        self._hosts: dict[HostAddress, Gathered] = {}

    def add(self, address: HostAddress, more: Gathered) -> None:
        """Adds calls to one host."""
        before = self._hosts.get(address)
        if before is not None:
            more = Gathered(before.calls + more.calls, before.cost + more.cost, before.timed + more.timed)
        self._hosts[address] = more

    def take(self) -> dict[HostAddress, Gathered]:
        """Removes all, and returns it."""
        hosts, self._hosts = self._hosts, {}
        return hosts
