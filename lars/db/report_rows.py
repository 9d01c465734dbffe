"""Reported results, added up by key until they are written (docs/design/reporter.md, aggregation).

Hosts are packed into one integer, because a dictionary of integers is a third cheaper to fill and to sort than one of
tuples, and every reported result passes through here.
"""

from dataclasses import dataclass, field

from lars.route import ModuleId

Run = tuple[int, int]
"""(caller, boot): one run of one agent, from its start to its end."""


def pack_host(ip: int, port: int) -> int:
    """A host as one number of 48 bits, which sorts as (ip, port)."""
    return ip << 16 | port


Status = tuple[int, int, int, bool]
"""The latest report of a caller for a host: successes, failures, its arrival in Unix seconds, overloaded."""

MinuteOfModule = tuple[int, int, int]
"""Minute (Unix seconds, a multiple of 60), modid and cmdid."""

Calls = dict[MinuteOfModule, dict[int, list[int]]]
"""Packed host -> [successes, failures], by minute and module."""


@dataclass(slots=True)
class Rows:
    """Results by the keys under which they are written."""

    status: dict[ModuleId, dict[int, Status]] = field(default_factory=dict)
    calls: Calls = field(default_factory=dict)
    """Calls that this Lars's agents have counted."""
    derived: Calls = field(default_factory=dict)
    """Calls derived from the running counters of a C++ agent."""


@dataclass(slots=True)
class Group:
    """The sum of the reports `first` to `last` (seq) of one run, committed as a whole or not at all.

    `skew` is by how many seconds the agent's clock is ahead, as the last report shows it.
    """

    caller: int
    boot: int
    first: int
    last: int
    rows: Rows = field(default_factory=Rows)
    skew: int = 0

    @property
    def run(self) -> Run:
        """The run that sent the reports."""
        return self.caller, self.boot
