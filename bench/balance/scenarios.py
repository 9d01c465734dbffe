"""The scenarios by name: what happens to the hosts of a module, and when."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.balance.scenario import MEAN, Fault, Scenario
from bench.balance.server import WELL, Condition


@dataclass(frozen=True, slots=True)
class Fleet:
    """The size of a scenario.

    Attributes:
        hosts: how many there are.
        agents: how many there are.
        load: the share of the hosts' capacity that all agents together use.
        workers: how many calls a host serves at a time.
        service: the distribution of service times.
    """

    hosts: int = 5
    agents: int = 10
    load: float = 0.5
    workers: int = 4
    service: str = "exponential"

    @property
    def cores(self) -> list[int]:
        """The workers of each host."""
        return [self.workers] * self.hosts

    @property
    def rate(self) -> float:
        """Calls per second."""
        return self.load * self.hosts * self.workers / MEAN


def _faults(hosts: Sequence[int], condition: Condition, begin: float, end: float) -> list[Fault]:
    """The condition for a while, for all of the hosts at once."""
    return [Fault(at, host, what) for at, what in ((begin, condition), (end, WELL)) for host in hosts]


def _steady(name: str, fleet: Fleet) -> Scenario:
    return Scenario(name, fleet.agents, fleet.rate, 40.0, fleet.cores, window=(20.0, 40.0), service=fleet.service)


def _one_host(condition: Condition, end: float) -> Callable[[str, Fleet], Scenario]:
    """One host has a fault from 20 s to 80 s."""

    def build(name: str, fleet: Fleet) -> Scenario:
        return Scenario(
            name,
            fleet.agents,
            fleet.rate,
            end,
            fleet.cores,
            faults=_faults([0], condition, 20.0, 80.0),
            bad=[0],
            service=fleet.service,
        )

    return build


def _all_hosts(condition: Condition) -> Callable[[str, Fleet], Scenario]:
    """All hosts have a fault from 20 s to 50 s."""

    def build(name: str, fleet: Fleet) -> Scenario:
        return Scenario(
            name,
            fleet.agents,
            fleet.rate,
            80.0,
            fleet.cores,
            faults=_faults(range(fleet.hosts), condition, 20.0, 50.0),
            window=(20.0, 50.0),
            service=fleet.service,
        )

    return build


def _rolling(name: str, fleet: Fleet) -> Scenario:
    """Hosts are down for 5 s, one after the other, 2 s between; where there are many, a twentieth at a time."""
    size = max(1, fleet.hosts // 20)
    faults = []
    for first in range(0, fleet.hosts, size):
        down = 20.0 + 7.0 * (first // size)
        faults += _faults(range(first, min(fleet.hosts, first + size)), Condition(up=False), down, down + 5)
    stop = 20.0 + 7.0 * math.ceil(fleet.hosts / size)
    return Scenario(
        name,
        fleet.agents,
        fleet.rate,
        stop + 20,
        fleet.cores,
        faults=faults,
        window=(20.0, stop),
        service=fleet.service,
    )


def _half(name: str, fleet: Fleet) -> Scenario:
    """Half of the hosts die; at most 35 % of load, so that the other half can carry it."""
    gone = list(range(fleet.hosts // 2))
    return Scenario(
        name,
        fleet.agents,
        min(fleet.load, 0.35) * fleet.hosts * fleet.workers / MEAN,
        110.0,
        fleet.cores,
        faults=_faults(gone, Condition(up=False), 20.0, 80.0),
        bad=gone,
        service=fleet.service,
    )


def _cold(name: str, fleet: Fleet) -> Scenario:
    """A host joins that is ten times slower for its first 10 s."""
    new = fleet.hosts - 1
    return Scenario(
        name,
        fleet.agents,
        fleet.rate,
        60.0,
        fleet.cores,
        faults=_faults([new], Condition(slowness=10.0), 0.0, 30.0),
        joins=[(20.0, new)],
        bad=[new],
        window=(20.0, 30.0),
        service=fleet.service,
    )


def _hetero(name: str, fleet: Fleet) -> Scenario:
    """Capacities of half, once and twice the workers, in turn."""
    cores = [max(1, fleet.workers // 2) * 2 ** (host % 3) for host in range(fleet.hosts)]
    rate = fleet.load * sum(cores) / MEAN
    return Scenario(name, fleet.agents, rate, 60.0, cores, window=(20.0, 60.0), service=fleet.service)


def _herd(name: str, fleet: Fleet) -> Scenario:
    """Agents that start together and make one call each every 10 s, all at once; the load makes no difference."""
    return Scenario(
        name,
        fleet.agents,
        1.0,
        301.0,
        fleet.cores,
        window=(0.0, 301.0),
        burst=10.0,
        service=fleet.service,
        warm=0.0,
    )


def _seldom(condition: Condition) -> Callable[[str, Fleet], Scenario]:
    """One call per agent in 10 s, whatever the load; one host has a fault for ten minutes."""

    def build(name: str, fleet: Fleet) -> Scenario:
        return Scenario(
            name,
            fleet.agents,
            fleet.agents / 10,
            1500.0,
            fleet.cores,
            faults=_faults([0], condition, 300.0, 900.0),
            bad=[0],
            window=(300.0, 900.0),
            service=fleet.service,
            warm=250.0,
        )

    return build


_BUILDERS: dict[str, tuple[str, Callable[[str, Fleet], Scenario]]] = {
    "steady": ("nothing happens", _steady),
    "dead": ("a host refuses connections for 60 s", _one_host(Condition(up=False), 140.0)),
    "hang": ("a host takes connections for 60 s and never answers", _one_host(Condition(hangs=True), 110.0)),
    "slow10": ("a host is ten times slower for 60 s", _one_host(Condition(slowness=10.0), 110.0)),
    "fail30": ("30 % of a host's calls fail for 60 s", _one_host(Condition(failing=0.3), 110.0)),
    "all30": ("30 % of all calls fail for 30 s", _all_hosts(Condition(failing=0.3))),
    "brownout": ("all hosts are four times slower for 30 s", _all_hosts(Condition(slowness=4.0))),
    "rolling": ("each host in turn is down for 5 s", _rolling),
    "half": ("half of the hosts refuse connections for 60 s; load at most 35 %", _half),
    "cold": ("a host joins that is ten times slower for 10 s", _cold),
    "hetero": ("hosts have capacities 1 : 2 : 4", _hetero),
    "herd": ("agents start together and make one call each every 10 s, at once", _herd),
    "dead_low": ("dead for ten minutes, at one call per agent and 10 s", _seldom(Condition(up=False))),
    "hang_low": ("hang for ten minutes, at one call per agent and 10 s", _seldom(Condition(hangs=True))),
}

SCENARIOS: dict[str, str] = {name: summary for name, (summary, _) in _BUILDERS.items()}
"""What happens in each scenario."""


def scenario(name: str, fleet: Fleet) -> Scenario:
    """The scenario of a name in SCENARIOS, for hosts and agents of a fleet."""
    return _BUILDERS[name][1](name, fleet)
