"""What happens to the hosts of a real run, and when; the same as a scenario for the simulator. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.balance.scenario import Fault, Scenario
from bench.balance.scenarios import Fleet
from bench.balance.server import WELL, Condition

SLOWNESS = 10.0

EVENTS: dict[str, tuple[str, Condition]] = {
    "killed": ("a host is killed and started again", Condition(up=False)),
    "stopped": ("a host is stopped (SIGSTOP) and goes on", Condition(hangs=True)),
    "slow": ("a host is ten times slower for a while", Condition(slowness=SLOWNESS)),
}
"""What each event is, and what it is to the simulator."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event, to one host. Times are in seconds from the start of the run.

    Attributes:
        name: one of EVENTS.
        host: the number of the host, from 0 on.
        begin, end: when its fault begins and ends.
        stop: until when calls are counted for this event, from `begin` on.
    """

    name: str
    host: int
    begin: float
    end: float
    stop: float


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: events one after the other, each to another host as long as there are enough.

    Attributes:
        fleet: hosts, workers, load and service times; one agent.
        names: the events, in order.
        warm: seconds before the first event.
        fault: seconds that each lasts.
        after: seconds for the host to come back, before the next event.
    """

    fleet: Fleet
    names: Sequence[str]
    warm: float = 10.0
    fault: float = 20.0
    after: float = 25.0

    @property
    def end(self) -> float:
        """When the run ends, in seconds from its start."""
        return self.warm + len(self.names) * (self.fault + self.after)

    def events(self) -> Iterator[Event]:
        """The events in order."""
        for number, name in enumerate(self.names):
            begin = self.warm + number * (self.fault + self.after)
            end = begin + self.fault
            yield Event(name, number % self.fleet.hosts, begin, end, end + self.after)

    def scenario(self, event: Event) -> Scenario:
        """The whole run for the simulator, in which the event is what is measured."""
        faults = [
            Fault(at, each.host, condition)
            for each in self.events()
            for at, condition in ((each.begin, EVENTS[each.name][1]), (each.end, WELL))
        ]
        return Scenario(
            event.name,
            self.fleet.agents,
            self.fleet.rate,
            self.end,
            self.fleet.cores,
            faults=faults,
            bad=[event.host],
            window=(event.begin, event.end),
            service=self.fleet.service,
            warm=event.begin,
        )
