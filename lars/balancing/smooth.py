"""Smooth weighted turns: each host as often as its weight says, and never in clumps.

Equal weights are plain turns. Otherwise the host with the earliest deadline is next, and its deadline moves on by 1 /
weight: earliest deadline first, as Envoy's edf_scheduler.h has it.
"""

import heapq
import random
from collections.abc import Sequence
from typing import Generic

from lars.balancing.host import H
from lars.balancing.record import Record


class SmoothTurns(Generic[H]):
    """Hosts in turn, by weight, from a random start.

    Attributes:
        hosts: those that take turns.
    """

    __slots__ = ("_at", "_heap", "_rng", "hosts")

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._at = -1
        self._heap: list[tuple[float, int]] | None = None  # of hosts with unequal weights
        self.hosts: Sequence[Record[H]] = ()

    def rebuild(self, hosts: Sequence[Record[H]]) -> None:
        """Replaces the hosts."""
        if not self.hosts:
            self._at = int(self._rng.random() * len(hosts))
        self.hosts = hosts
        self._heap = None
        if any(record.weight != hosts[0].weight for record in hosts):
            self._heap = [(self._rng.random() / record.weight, at) for at, record in enumerate(hosts)]
            heapq.heapify(self._heap)

    def next(self) -> int:
        """The place in `hosts` of the one whose turn it is."""
        heap = self._heap
        if heap is None:
            self._at = at = (self._at + 1) % len(self.hosts)
            return at
        deadline, at = heap[0]
        heapq.heapreplace(heap, (deadline + 1 / self.hosts[at].weight, at))
        return at
