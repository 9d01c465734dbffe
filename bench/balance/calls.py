"""The calls of a run, drawn before it begins, so that every policy gets the same ones.

Arrivals, agents, service times, failures and keys come from a stream of random numbers each, by the number of the call
(common random numbers: Law, Simulation Modeling and Analysis, variance reduction).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.balance.scenario import Scenario

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

KEYS = 10_000
"""Keys that calls are about, evenly; from 1 on."""


@dataclass(frozen=True, slots=True)
class Calls:
    """One entry a call in each column, in the order of time.

    Attributes:
        times: when it is made.
        agents: whose it is.
        keys: what it is about, for policies that keep calls of one key at one host.
        work: its service time, as a multiple of the mean.
        luck: from 0 to 1; below the share that fails, it fails.
    """

    times: Floats
    agents: Integers
    keys: Integers
    work: Floats
    luck: Floats


SERVICE_TIMES: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "exponential": lambda rng, count: rng.exponential(1.0, count),
    "lognormal": lambda rng, count: rng.lognormal(-0.5, 1.0, count),  # sigma 1: the p99 is 6.2 times the mean
    "deterministic": lambda _rng, count: np.ones(count),
    "normal": lambda rng, count: rng.normal(1.0, 5 / 167, count),  # as in Linkerd's comparison
}
"""Distributions of service times, with mean 1."""


def draw(scenario: Scenario, seed: int) -> Calls:
    """All calls of one run."""
    arrivals, owners, service, fortune, subjects = (np.random.default_rng([seed, stream]) for stream in range(5))
    if scenario.burst:
        starts = np.arange(1.0, scenario.end, scenario.burst)
        times = np.concatenate([np.sort(arrivals.random(scenario.agents) * 0.05) + start for start in starts])
        agents = np.concatenate([owners.permutation(scenario.agents) for _ in starts])
    else:
        enough = int(scenario.rate * scenario.end * 1.02) + 50
        times = np.cumsum(arrivals.exponential(1 / scenario.rate, enough))
        times = times[times < scenario.end]
        agents = owners.integers(0, scenario.agents, len(times))
    count = len(times)
    work = SERVICE_TIMES[scenario.service](service, count)
    return Calls(times, agents, subjects.integers(1, KEYS + 1, count), work, fortune.random(count))
