"""What callers had: their calls, read from what they wrote, and shares and failures among them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

OK, FAILED = "ok", "failed"
"""Outcomes; any other is the name of the error for which no host was to be called."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a business process.

    Attributes:
        began, ended: monotonic seconds, by the one clock of all processes of the machine.
        zone: that of the host that was called; empty if there was none.
        host: its address, likewise.
        outcome: OK, FAILED, or the name of an error.
        reported: whether the outcome of a call to a host could be reported.
    """

    began: float
    ended: float
    zone: str
    host: str
    outcome: str
    reported: bool = True

    @property
    def refused(self) -> bool:
        """Whether there was no host to call."""
        return self.outcome not in (OK, FAILED)


def read_calls(text: str, zones: Mapping[str, str]) -> list[Call]:
    """The calls of a caller's file; a last line that is not whole is left out.

    Args:
        text: a line for each call: when it began and ended, ADDRESS:PORT or -, and the outcome; with + and the name of
            an error if that could not be reported.
        zones: the zone of each address.
    """
    calls = []
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            began, ended, place, outcome = line.split()
            host = place.partition(":")[0].strip("-")
            outcome, _plus, unreported = outcome.partition("+")
            calls.append(Call(float(began), float(ended), zones.get(host, ""), host, outcome, not unreported))
    return calls


def between(calls: Iterable[Call], begin: float, end: float) -> list[Call]:
    """The calls that began in a time."""
    return [call for call in calls if begin <= call.began < end]


def share(calls: Sequence[Call], zone: str) -> float:
    """The part of the calls that went to hosts of a zone; 0 of none."""
    return sum(call.zone == zone for call in calls) / len(calls) if calls else 0.0


def settled_after(
    calls: Sequence[Call], zone: str, wanted: float, begin: float, end: float, window: float = 2.0
) -> float | None:
    """Seconds after `begin` from which on a zone has its share in each `window` until `end`; None if it has not.

    Looked at in steps of half a second.
    """
    settled = None
    step = 0.5
    for number in range(int((end - begin - window) / step) + 1):
        at = begin + number * step
        if share(between(calls, at, at + window), zone) < wanted:
            settled = None
        elif settled is None:
            settled = number * step
    return settled
