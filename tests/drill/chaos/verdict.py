"""What the faults of a chaos drill explain, and what they do not. Pure; times are in monotonic seconds."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from tests.drill.calls import FAILED, Call
from tests.drill.chaos.schedule import Happened, Kind

GRACE = 2.0
"""Seconds after a fault in which calls may still feel it."""

SHED = 30.0
"""Seconds after the faults of hosts in which load may still be shed, as it is let in again in steps."""

SPREAD = 15.0
"""Seconds, without a fault, after which an edit has reached every agent, at most."""

LOST_BEFORE, LOST_AFTER = 4.0, 3.0
"""Seconds by which calls may be reported later than they end, and after a kill in which reports may still be lost."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked for the host of a call.

    Attributes:
        zone: that of the caller.
        processes: the names of those that gave the host: the agent, and the gateway if there is one between.
        by_gateway: whether there is. Clients of the agent itself go on by its saved routes while it is away.
    """

    zone: str
    processes: Collection[str]
    by_gateway: bool = False


def reason(call: Call, asked: Asked, faults: Iterable[Happened]) -> Happened | None:
    """The fault for which a call failed or found no host; None if none explains it."""
    return next((each for each in faults if _explains(each, call, asked)), None)


def _explains(each: Happened, call: Call, asked: Asked) -> bool:
    if call.outcome == FAILED:
        return _overlaps(each, call, GRACE) and (_hits_host(each, call.host) or _hits_link(each, asked.zone, call.zone))
    if call.outcome in ("AgentUnavailable", "GatewayAway"):
        return asked.by_gateway and _hits_process(each, asked.processes) and _overlaps(each, call, GRACE)
    if call.outcome == "Overloaded":
        return (_is_of_host(each) or _is_link(each)) and _overlaps(each, call, SHED)
    return False


def _overlaps(each: Happened, call: Call, grace: float) -> bool:
    return each.began <= call.ended and call.began <= each.ended + grace


def _hits_process(each: Happened, names: Collection[str]) -> bool:
    return each.fault.kind in (Kind.KILL, Kind.STOP) and each.fault.target in names


def _hits_host(each: Happened, address: str) -> bool:
    return _hits_process(each, [f"host-{address}"])


def _is_of_host(each: Happened) -> bool:
    return each.fault.target.startswith("host-")


def _is_link(each: Happened) -> bool:
    return each.fault.kind in (Kind.PARTITION, Kind.WEATHER, Kind.CUT)


def _hits_link(each: Happened, one: str, other: str) -> bool:
    if one == other or not _is_link(each):
        return False
    hit = each.fault.target.split("-")
    return (one in hit or other in hit) if each.fault.kind is Kind.CUT else (one in hit and other in hit)


def calm_from(begin: float, calm: float, faults: Iterable[Happened]) -> float:
    """The first time from `begin` on after which there are `calm` seconds without a fault that is not a host's."""
    for each in sorted(faults, key=lambda each: each.began):
        if not _is_of_host(each) and each.began <= begin + calm and each.ended > begin:
            begin = each.ended
    return begin


def can_be_lost(kill: Happened, ends: Sequence[float], committed: int) -> int:
    """How many calls may be missing from the history because of a kill: those whose counts were not committed.

    Args:
        kill: of an agent, or of a gateway before it.
        ends: when each call that was reported by that way ended, ascending.
        committed: how many of the agent's calls the history had just before the kill.
    """
    begin = min(kill.began, ends[committed] if committed < len(ends) else kill.began)
    return sum(begin - LOST_BEFORE <= end <= kill.ended + LOST_AFTER for end in ends)
