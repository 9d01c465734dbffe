"""The project's own policies in the simulator: an adapter that runs the classes of lars/balancing."""

import random
from collections.abc import Sequence

from bench.balance.policy import REFUSED_BY_POLICY, NewPolicy, SimulatedPolicy
from lars.balancing.host import Host, HostState
from lars.balancing.policies import new_policy
from lars.balancing.policy import Policy
from lars.route import HostAddress

FIRST_ADDRESS = 0x0A000001  # 10.0.0.1
PORT = 8080


class NumberedHost(Host):
    """A host that knows its number in the simulator."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        super().__init__(HostAddress(FIRST_ADDRESS + number, PORT))
        self.number = number


class ProjectPolicy(SimulatedPolicy):
    """One agent with a policy of lars/balancing. Costs are whole milliseconds, as in the report of a call (cost_ms)."""

    def __init__(self, policy: Policy[NumberedHost], hosts: Sequence[int], rng: random.Random, now: float) -> None:
        super().__init__(hosts, rng, now)
        self._policy = policy
        self.times_calls = policy.wants_times
        self._numbered: dict[int, NumberedHost] = {}
        self._ejected: set[int] = set()
        self._revision = policy.revision
        self.update(hosts, now)

    def choose(self, key: int, now: float) -> int:
        host = self._policy.pick(key, now)
        if self._policy.revision != self._revision:
            self._note_changes(now)
        return REFUSED_BY_POLICY if host is None else host.number

    def report(self, host: int, failed: bool, cost: float, now: float) -> None:
        self._policy.report(self._numbered[host], failed, int(cost * 1000) / 1000, now)
        if self._policy.revision != self._revision:
            self._note_changes(now)

    def sweep(self, now: float) -> None:
        self._policy.sweep(now)
        if self._policy.revision != self._revision:
            self._note_changes(now)

    def update(self, hosts: Sequence[int], now: float) -> None:
        super().update(hosts, now)
        self._numbered = {number: self._numbered.get(number) or NumberedHost(number) for number in hosts}
        self._policy.rebuild(self._numbered.values(), now)
        self._note_changes(now)

    def _note_changes(self, now: float) -> None:
        """Compares the states with those before: what a sweep returns has no time."""
        self._revision = self._policy.revision
        ejected = {host.number for host, state in self._policy.states().items() if state is HostState.EJECTED}
        if ejected != self._ejected:
            self.changes += [(now, host, host in ejected) for host in sorted(ejected ^ self._ejected)]
            self._ejected = ejected


def project_policy(name: str) -> NewPolicy:
    """Makes agents with the project's policy of one of NAMES."""
    return lambda hosts, rng, now: ProjectPolicy(new_policy(name, rng), hosts, rng, now)
