"""Reported results, added up by key until they are written (docs/design/reporter.md, aggregation).

Hosts are packed into one integer, because a dictionary of integers is a third cheaper to fill and to sort than one of
tuples, and every reported result passes through here.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

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


class CallsSeen(NamedTuple):
    """Calls of one caller to one host in a period of so many seconds, and when it ended (Unix seconds)."""

    succ: int
    err: int
    counted_at: int
    period: int


class HostSeen(NamedTuple):
    """How a caller sees a host.

    Attributes:
        state: a Condition, as a number.
        reason: why, in a few words; at most MAX_REASON characters.
        since: when the state began, in Unix seconds.
        latency: of its calls, in microseconds; 0 if it is not known.
        calls: None where there is nothing new of them.
    """

    state: int
    reason: str
    since: int
    latency: int
    calls: CallsSeen | None


class AgentFacts(NamedTuple):
    """What an agent says of itself; `started_at` is in Unix seconds, `dns` and `reporter` are what it is linked to."""

    started_at: int
    hostname: str
    version: str
    zone: str
    dns: str
    reporter: str
    settings: str


@dataclass(slots=True)
class Seen:
    """What one run of an agent has said of hosts and of itself, until it is written: the newest holds.

    Attributes:
        caller, boot: the run.
        at: when the newest arrived, in Unix seconds.
        hosts: by module, and by packed host.
        versions: of the routes that it holds; None for a module that it has forgotten.
        facts: of itself; None if there is nothing new.
    """

    caller: int
    boot: int
    at: int = 0
    hosts: dict[ModuleId, dict[int, HostSeen]] = field(default_factory=dict)
    versions: dict[ModuleId, int | None] = field(default_factory=dict)
    facts: AgentFacts | None = None

    @property
    def run(self) -> Run:
        """The run that said it."""
        return self.caller, self.boot
