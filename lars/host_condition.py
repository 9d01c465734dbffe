"""The state of a host as people see it, in more detail than whether it takes calls."""

from enum import IntEnum


class Condition(IntEnum):
    """What people call a host's state; the numbers are those of the wire and of the database."""

    HEALTHY = 1
    EJECTED = 2
    UNHEALTHY = 3
    DRAINING = 4
    """Its weight is 0: it gets no new calls while others have weight."""
    WARMING_UP = 5
    """It has joined or was restored a short time ago, and gets a part of its share (slow start)."""

    @property
    def word(self) -> str:
        """The word that people read."""
        return self.name.lower().replace("_", " ")

    @property
    def takes_calls(self) -> bool:
        """Whether it gets calls other than probes."""
        return self in (Condition.HEALTHY, Condition.WARMING_UP)


def condition_of(number: int, fallback: Condition) -> Condition:
    """The condition of a number; the fallback for one that a newer program has sent, or none has."""
    try:
        return Condition(number)
    except ValueError:
        return fallback
