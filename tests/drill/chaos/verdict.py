"""What the faults of a chaos drill explain, and what they do not. Pure; times are in monotonic seconds."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from tests.drill.calls import FAILED, OK, Call
from tests.drill.chaos.schedule import Happened, Kind

GRACE = 2.0
"""Seconds after a fault in which calls may still feel it."""

SHED = 30.0
"""Seconds after the faults of hosts in which load may still be shed, as it is let in again in steps."""

SPREAD = 15.0
"""Seconds, without a fault, after which an edit has reached every agent, at most."""

LOST_BEFORE, LOST_AFTER = 4.0, 3.0
"""Seconds before a kill and after it whose counts an agent or gateway may lose, beyond faults that delay reports."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked for the host of a call: its zone, and the names of the processes that gave the host."""

    zone: str
    processes: Collection[str]


def unexplained(calls: Iterable[Call], asked: Asked, faults: Sequence[Happened]) -> list[Call]:
    """The calls that did not succeed, and for which no fault is the reason."""
    return [call for call in calls if call.outcome != OK and not _is_explained(call, asked, faults)]


def _is_explained(call: Call, asked: Asked, faults: Sequence[Happened]) -> bool:
    if call.outcome == FAILED:
        hit = [each for each in faults if _hits_host(each, call.host) or _hits_link(each, asked.zone, call.zone)]
        return any(_overlaps(each, call, GRACE) for each in hit)
    if call.outcome in ("AgentUnavailable", "GatewayAway"):
        return any(_hits_process(each, asked.processes) and _overlaps(each, call, GRACE) for each in faults)
    if call.outcome == "Overloaded":
        hit = [each for each in faults if each.fault.target.startswith("host-") or _is_link(each)]
        return any(_overlaps(each, call, SHED) for each in hit)
    return False


def _overlaps(each: Happened, call: Call, grace: float) -> bool:
    return each.began <= call.ended and call.began <= each.ended + grace


def _hits_process(each: Happened, names: Collection[str]) -> bool:
    return each.fault.kind in (Kind.KILL, Kind.STOP) and each.fault.target in names


def _hits_host(each: Happened, address: str) -> bool:
    return _hits_process(each, [f"host-{address}"])


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
        if not each.fault.target.startswith("host-") and each.began <= begin + calm and each.ended > begin:
            begin = each.ended
    return begin


def can_be_lost(kill: Happened, faults: Iterable[Happened]) -> tuple[float, float]:
    """From when to when calls must have ended for their counts to be lost with an agent that was killed.

    What is not acknowledged is lost, and faults of reporters, links and database delay acknowledgements.
    """
    begin = kill.began
    for each in sorted(faults, key=lambda each: each.ended, reverse=True):
        delays = each is not kill and not each.fault.target.startswith("host-")
        if delays and each.began < begin and each.ended + SPREAD >= begin:
            begin = each.began
    return begin - LOST_BEFORE, kill.ended + LOST_AFTER
