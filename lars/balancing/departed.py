"""Hosts that left the route while they were ejected, remembered for a while: one that is back is still ejected."""

from copy import copy
from typing import Generic

from lars.balancing.host import H
from lars.balancing.record import Record
from lars.route import HostAddress

MAX_DEPARTED = 256
"""Hosts that are remembered for a module; of more, those that left first are forgotten."""


class Departed(Generic[H]):
    """What was known of the ejected hosts of a module when they left. `now` is real time, in seconds.

    Args:
        keep: seconds for which a host is remembered.
    """

    __slots__ = ("_keep", "_records")

    def __init__(self, keep: float) -> None:
        self._keep = keep
        self._records: dict[HostAddress, tuple[float, Record[H]]] = {}  # by the time when they left

    def __len__(self) -> int:
        return len(self._records)

    def add(self, record: Record[H], now: float) -> None:
        """Remembers a host that leaves."""
        address = record.host.address
        self._records.pop(address, None)
        self._records[address] = now, copy(record)
        if len(self._records) > MAX_DEPARTED:
            del self._records[next(iter(self._records))]

    def take(self, address: HostAddress, now: float) -> tuple[float, Record[H]] | None:
        """When a host that is back has left, and what was known of it; None if it is not remembered."""
        self.forget(now)
        return self._records.pop(address, None)

    def forget(self, now: float) -> None:
        """Forgets the hosts whose time is over."""
        while self._records:
            address, (left_at, _record) = next(iter(self._records.items()))
            if now - left_at <= self._keep:
                return
            del self._records[address]
