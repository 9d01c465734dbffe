"""Locality: hosts of the agent's own zone first, as far as they suffice (docs/design/balancing.md, locality).

The formula is that of Envoy's priority levels (load_balancer_impl.cc, recalculatePerPriorityState; "Priority levels" in
its documentation), the own zone being priority 0 and all the others together priority 1: a level takes calls in
proportion to its healthy hosts times a factor of overprovisioning, and passes on what it cannot take.
"""

from collections.abc import Sequence
from dataclasses import dataclass

OVERPROVISIONING = 1.4
"""Envoy's default: a zone takes all its calls while 72 % of it are healthy."""


@dataclass(frozen=True, slots=True)
class Locality:
    """Where an agent is, and when its calls leave that zone.

    Attributes:
        zone: the agent's zone, not empty.
        overprovisioning: how much more than its share a host of it can take, 1 or more.
    """

    zone: str
    overprovisioning: float = OVERPROVISIONING


@dataclass(frozen=True, slots=True)
class ZonedHost:
    """A host as locality sees it.

    Attributes:
        weight: its weight in the route; 0 if it is drained.
        zone: its zone; empty if that is not known, which is another one than the agent's.
        takes: whether it takes calls.
        health: how much of its share it can take, 0 to 1: less than 1 while it warms up, 0 if it is unhealthy.
    """

    weight: float
    zone: str
    takes: bool = True
    health: float = 1.0


def effective_weights(hosts: Sequence[ZonedHost], locality: Locality) -> list[float]:
    """The weights by which hosts take turns, in the order of `hosts`; 0 for those that take none.

    Their sum is that of the weights of all that take calls. A drained host counts as one of mean weight that does not
    work, so that a zone does not look whole while it is emptied.
    """
    own = [host for host in hosts if host.zone == locality.zone]
    rest = [host for host in hosts if host.zone != locality.zone]
    available = [_available(group, locality.overprovisioning) for group in (own, rest)]
    weight = [sum(host.weight for host in group if host.takes) for group in (own, rest)]
    if not (sum(available) and all(weight)):  # one zone alone, or a panic
        return [host.weight if host.takes else 0.0 for host in hosts]
    own_load = min(1.0, available[0] / min(1.0, sum(available)))
    total = sum(weight)
    factor = {True: total * own_load / weight[0], False: total * (1 - own_load) / weight[1]}
    return [host.weight * factor[host.zone == locality.zone] if host.takes else 0.0 for host in hosts]


def _available(hosts: Sequence[ZonedHost], overprovisioning: float) -> float:
    """The share of all calls that the hosts of a level can take, 0 to 1."""
    weights = [host.weight for host in hosts if host.weight]
    if not weights:
        return 0.0
    drained = (len(hosts) - len(weights)) * sum(weights) / len(weights)
    healthy = sum(host.weight * host.health for host in hosts if host.takes)
    return min(1.0, overprovisioning * healthy / (sum(weights) + drained))
