"""A host as a policy sees it, the states it can be in, and a change of state."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

from lars.host_condition import Condition
from lars.route import HostAddress


class HostState(Enum):
    """Whether a host takes calls; the value is the word that people read."""

    HEALTHY = "healthy"
    EJECTED = "ejected"
    """Set aside by its failures: it gets probes only."""
    UNHEALTHY = "unhealthy"
    """Set aside by its health checks: it gets no calls until they pass."""


class Host:
    """One node of a module's route. Callers subclass it to keep with a host what a policy has no use for."""

    __slots__ = ("address", "record", "weight", "zone")

    def __init__(self, address: HostAddress, weight: int = 100, zone: str = "") -> None:
        self.address = address
        self.zone = zone
        """Where it is; empty if that is not known."""
        self.weight = weight
        """Its share of calls relative to the others, 0 to 1,000; 0: none while others have weight."""
        self.record: Any = None
        """What the policy keeps about the host. Only the policy reads or writes it."""


H = TypeVar("H", bound=Host)


@dataclass(frozen=True, slots=True)
class StateChange(Generic[H]):
    """A host that was ejected, found unhealthy, or restored.

    Attributes:
        host: the host.
        state: the state it is in now.
        reason: the rule that decided, such as "errors", "window", "failures in a row", "probe" or "check".
        evidence: the counts that decided, for a log line.
    """

    host: H
    state: HostState
    reason: str
    evidence: str


@dataclass(frozen=True, slots=True)
class HostView(Generic[H]):
    """How a policy sees one host.

    Attributes:
        host: the host.
        condition: what people call its state.
        reason: why, in a few words, such as "3 of 3 recent calls failed", "http 503" or "40 %"; empty while it is
            healthy. ASCII, at most MAX_WHY characters.
        latency: seconds that its calls take; 0 while that is not known.
    """

    host: H
    condition: Condition
    reason: str
    latency: float


@dataclass(frozen=True, slots=True)
class HostExplanation:
    """What a policy knows of one host, and what follows from it for the next call.

    Attributes:
        address: the host.
        state: whether it takes calls.
        share: the share of the module's calls that it would get now, 0 to 1.
        calls, failures: recent calls by which it is judged, and those of them that failed; fractions where they decay.
        failures_in_a_row: its last calls that have failed one after the other.
        in_flight: its calls that are not reported yet; None where the policy does not count them.
        latency: seconds that its calls take; None while that is not known.
        next_probe: seconds until its next probe; None where no time is set for one.
        why: the reason for state and share: ASCII, at most MAX_WHY characters.
        condition: the state in more detail.
        reason: the reason for that, as in HostView.
    """

    address: HostAddress
    state: HostState
    share: float
    calls: float
    failures: float
    failures_in_a_row: int
    in_flight: int | None
    latency: float | None
    next_probe: float | None
    why: str
    condition: Condition = Condition.HEALTHY
    reason: str = ""


MAX_WHY = 64
"""Characters of HostExplanation.why: a page of them must fit a datagram."""
