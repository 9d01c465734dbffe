"""A scenario: hosts, agents, the stream of calls, and what goes wrong when."""

from dataclasses import dataclass, field

from bench.balance.server import Condition

MEAN = 0.010
"""Seconds of service, on average."""


@dataclass(frozen=True, slots=True)
class Fault:
    """From `at` on (seconds), calls to the host meet this condition; the end of a fault is a fault of its own."""

    at: float
    host: int
    condition: Condition


@dataclass(frozen=True, slots=True)
class Scenario:
    """What one run simulates. Times are in seconds from its start.

    Attributes:
        name: as on the command line.
        agents: how many there are; each call belongs to one of them, evenly at random.
        rate: calls per second of all agents together.
        end: when the run ends.
        workers: how many calls at a time each host serves; a host each.
        faults: in any order.
        joins: hosts that are not in the route from the start, and when they join it.
        bad: the hosts that the fault is one of.
        window: when the fault begins and ends.
        burst: if not 0, each agent makes one call every so many seconds, all within 50 ms, and `rate` is not used.
        mean: seconds of service, on average.
        timeout: seconds after which a caller gives up.
        backlog: calls that may wait at a host.
        service: the distribution of service times.
        warm: calls before this time are not counted.
    """

    name: str
    agents: int
    rate: float
    end: float
    workers: list[int]
    faults: list[Fault] = field(default_factory=list)
    joins: list[tuple[float, int]] = field(default_factory=list)
    bad: list[int] = field(default_factory=list)
    window: tuple[float, float] = (20.0, 80.0)
    burst: float = 0.0
    mean: float = MEAN
    timeout: float = 1.0
    backlog: int = 200
    service: str = "exponential"
    warm: float = 10.0

    @property
    def hosts(self) -> int:
        """The number of hosts, with those that join later."""
        return len(self.workers)
