"""Policies that know nothing of how calls went: the measure of what a fault costs by nature."""

import random
from collections.abc import Sequence

from bench.balance.policy import SimulatedPolicy


class PlainRoundRobin(SimulatedPolicy):
    """Hosts in turn, from a random start."""

    def __init__(self, hosts: Sequence[int], rng: random.Random, now: float) -> None:
        super().__init__(hosts, rng, now)
        self._turn = rng.randrange(len(hosts))

    def choose(self, key: int, now: float) -> int:
        self._turn += 1
        return self.hosts[self._turn % len(self.hosts)]


class Random(SimulatedPolicy):
    """Each call to a host drawn evenly at random."""

    def choose(self, key: int, now: float) -> int:
        return self.hosts[int(self.rng.random() * len(self.hosts))]
