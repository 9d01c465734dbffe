"""What an agent reported, added up by key while it waits to be written (docs/design/reporter.md, aggregation). Pure.

Hosts are packed into one integer: a dictionary of those is a third cheaper to fill and to sort than one of tuples, and
every result that any agent reports goes through here.
"""

from dataclasses import dataclass, field

from lars.route import ModuleId

Run = tuple[int, int]
"""(caller, boot): one run of one agent."""


def pack_host(ip: int, port: int) -> int:
    """A host as one number, in the order of (ip, port)."""
    return ip << 16 | port


Status = tuple[int, int, int, bool]
"""The latest report of a caller for a host: successes, failures, ts in Unix seconds, overloaded."""

MinuteOfModule = tuple[int, int, int]
"""Minute (Unix seconds, a multiple of 60), modid, cmdid."""

Calls = dict[MinuteOfModule, dict[int, list[int]]]
"""Packed host -> [successes, failures], by minute and module."""


@dataclass(slots=True)
class Rows:
    """Results by the keys under which they are written."""

    status: dict[ModuleId, dict[int, Status]] = field(default_factory=dict)
    calls: Calls = field(default_factory=dict)
    """What agents of ours have counted."""
    derived: Calls = field(default_factory=dict)
    """What was derived from the running counters of a C++ agent."""


@dataclass(slots=True)
class Group:
    """All that one run of an agent reported from seq `first` to `last`, added up: committed whole or not at all."""

    caller: int
    boot: int
    first: int
    last: int
    rows: Rows = field(default_factory=Rows)

    @property
    def run(self) -> Run:
        return self.caller, self.boot
