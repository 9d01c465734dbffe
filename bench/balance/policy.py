"""The interface of a policy in the simulator: one agent's choice of hosts for one module."""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

REFUSED_BY_POLICY = -1
"""What `choose` returns when the call should not be made (OVERLOAD)."""


class SimulatedPolicy(ABC):
    """What one agent knows of the hosts, which are numbers from 0. `now` is in seconds from the start of the run.

    Attributes:
        hosts: the route, in its order.
        rng: this agent's own random numbers.
        times_calls: whether its agent times calls by itself where callers report no time.
        changes: (now, host, whether it was ejected rather than restored), in the order in which they happened.
    """

    times_calls = False

    def __init__(self, hosts: Sequence[int], rng: random.Random, now: float) -> None:
        self.rng = rng
        self.changes: list[tuple[float, int, bool]] = []
        self.hosts = list(hosts)

    @abstractmethod
    def choose(self, key: int, now: float) -> int:
        """A host for a call about `key`, or REFUSED_BY_POLICY."""

    def report(self, host: int, failed: bool, cost: float, now: float) -> None:
        """Counts a call that has ended; `cost` is its duration in seconds, 0 where callers do not report it."""
        return

    def sweep(self, now: float) -> None:
        """Runs what depends on time alone; called once a second."""
        return

    def update(self, hosts: Sequence[int], now: float) -> None:
        """Replaces the route by one with more hosts."""
        self.hosts = list(hosts)


NewPolicy = Callable[[Sequence[int], random.Random, float], SimulatedPolicy]
"""Makes one agent's policy from its hosts, its random numbers and the time."""
