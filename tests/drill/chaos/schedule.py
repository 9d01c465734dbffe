"""The schedule of a chaos drill: which fault hits what, from when to when. Pure: the seed decides on all of it."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf


class Kind(Enum):
    """What happens."""

    KILL = "kill -9"
    """A process is killed, and started again at the end."""
    STOP = "stop"
    """A process is stopped where it is (SIGSTOP), and goes on at the end."""
    PARTITION = "partition"
    """Packets between two zones vanish."""
    CUT = "cut"
    """The link of a zone is down."""
    WEATHER = "weather"
    """Packets between two zones are late, and some are lost."""
    CLOCK = "clock step"
    """The wall clock of a zone's services steps, and steps back at the end."""
    DISK = "full disk"
    """The disk of a zone's services is full."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How often faults of a kind come, and how long they last.

    Attributes:
        weight: relative to the other kinds.
        shortest, longest: in seconds.
    """

    weight: float
    shortest: float
    longest: float


RULES: Mapping[Kind, Rule] = {
    Kind.KILL: Rule(4, 0.5, 6),
    Kind.STOP: Rule(3, 2, 15),
    Kind.PARTITION: Rule(2, 3, 20),
    Kind.CUT: Rule(1, 3, 15),
    Kind.WEATHER: Rule(2, 5, 20),
    Kind.CLOCK: Rule(1, 5, 30),
    Kind.DISK: Rule(1, 5, 20),
}

GAP = 3.0
"""Mean seconds from the beginning of one fault to that of the next."""

FIRST = 3.0
"""When faults begin."""

APART = 3.0
"""Seconds between two faults of one thing, at least."""

STEPS = (-86_400, -600, -30, 30, 600, 86_400)
"""Seconds by which a clock steps."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; times are in seconds from the start of the drill.

    Attributes:
        begin, end: from when to when.
        kind: what happens.
        target: the name of the process or zone, or two zones as A-B.
        amount: seconds of a clock step; 0 otherwise.
    """

    begin: float
    end: float
    kind: Kind
    target: str
    amount: int = 0

    def __str__(self) -> str:
        amount = f" by {self.amount:+d} s" if self.amount else ""
        return f"{self.begin:.1f} s: {self.kind.value} {self.target}{amount}, for {self.end - self.begin:.1f} s"


@dataclass(slots=True)
class Happened:
    """A fault as it was.

    Attributes:
        fault: as it was planned.
        began, ended: in monotonic seconds; a killed process's fault ends when it answers again. Infinity until then.
    """

    fault: Fault
    began: float
    ended: float = inf


def draw(seed: int, seconds: float, processes: Sequence[str], zones: Sequence[str], witness: str) -> list[Fault]:
    """The faults of a drill, by their beginning; all of them end within it.

    Args:
        seed: decides on everything, together with the other arguments.
        seconds: how long the drill takes.
        processes: the names of those that may be killed and stopped.
        zones: the names of the zones with services.
        witness: the zone of the database.
    """
    rng = random.Random(seed)
    places = [*zones, witness]
    pairs = [pair_name(one, other) for n, one in enumerate(places) for other in places[n + 1 :]]
    targets: dict[Kind, Sequence[str]] = dict.fromkeys((Kind.KILL, Kind.STOP), processes)
    targets |= dict.fromkeys((Kind.PARTITION, Kind.WEATHER), pairs) | dict.fromkeys((Kind.CLOCK, Kind.DISK), zones)
    targets[Kind.CUT] = places
    kinds, weights = list(RULES), [rule.weight for rule in RULES.values()]
    busy_until: dict[str, float] = {}
    faults = []
    at = FIRST
    while True:
        [kind] = rng.choices(kinds, weights)
        end = at + rng.uniform(RULES[kind].shortest, RULES[kind].longest)
        free = [each for each in targets[kind] if all(busy_until.get(t, 0) <= at for t in _touched(kind, each, pairs))]
        if end <= seconds and free:
            target = rng.choice(free)
            amount = rng.choice(STEPS) if kind is Kind.CLOCK else 0
            faults.append(Fault(round(at, 1), round(end, 1), kind, target, amount))
            busy_until |= dict.fromkeys(_touched(kind, target, pairs), end + APART)
        at += rng.expovariate(1 / GAP)
        if at + min(rule.shortest for rule in RULES.values()) > seconds:
            return faults


def pair_name(one: str, other: str) -> str:
    """The name of the link between two zones."""
    return f"{one}-{other}"


def _touched(kind: Kind, target: str, pairs: Iterable[str]) -> list[str]:
    """What must have no other fault at the same time."""
    if kind is Kind.CUT:
        return [pair for pair in pairs if target in pair.split("-")]
    return [f"{kind.value} {target}"] if kind in (Kind.CLOCK, Kind.DISK) else [target]
