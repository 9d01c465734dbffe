"""The policies by name."""

import random
from collections.abc import Callable
from typing import Any

from lars.balancing.adaptive import Adaptive
from lars.balancing.classic import Classic, ClassicSettings
from lars.balancing.consistent_hash import ConsistentHash
from lars.balancing.ejecting import EjectingPolicy
from lars.balancing.picker import Picker
from lars.balancing.policy import Policy
from lars.balancing.round_robin import RoundRobin

PICKERS: dict[str, Callable[[random.Random], Picker[Any]]] = {
    "adaptive": Adaptive,
    "round_robin": RoundRobin,
    "consistent_hash": ConsistentHash,
}
"""The policies that eject, by how they pick."""

NAMES = (*PICKERS, "classic")
"""All policies."""


def new_policy(name: str, rng: random.Random, classic: ClassicSettings | None = None) -> Policy[Any]:
    """A policy of one of NAMES; raises KeyError for another name.

    Args:
        name: which.
        rng: for its draws. Policies may share one; a seeded one makes a run repeatable.
        classic: the numbers of the classic rules.
    """
    policy: Policy[Any] = Classic(classic or ClassicSettings(), rng)
    if name != "classic":
        policy = EjectingPolicy(PICKERS[name](rng), rng)
    policy.name = name
    return policy
