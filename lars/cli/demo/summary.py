"""What the demo measured, and whether it is as expected. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from lars.cli.demo.ejections import Change, Transition
from lars.cli.demo.record import Record

MOST_UNEVEN = 0.05
"""How far a healthy node's share may be from an equal one, as a fraction of that."""
MOST_FAILURES = 20
"""Failed calls until the failing node must be ejected; the balancer's limit is 15 in a row.

See docs/design/balancing.md, classic.
"""
LONGEST_JOIN = 3.0
"""Seconds from `route add` to the added node's first call: dns polls every second.

See docs/design/dns.md, watching the database.
"""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Which node failed and which was added, and when, by the clock of the record; None for what did not happen."""

    failing: str
    added: str
    failed_at: float | None = None
    recovered_at: float | None = None
    added_at: float | None = None
    steady_calls: Mapping[str, int] | None = None
    """Calls by node until the failing node started to fail, while all nodes were healthy."""


def ejected(record: Record, timeline: Timeline) -> Change | None:
    """The ejection of the failing node, if it was ejected."""
    changes = _changes_since(record, timeline.failing, timeline.failed_at)
    return next((change for change in changes if change.transition is Transition.EJECTED), None)


def restored(record: Record, timeline: Timeline) -> Change | None:
    """The last restoration of the failing node after its recovery, unless it was ejected again."""
    changes = _changes_since(record, timeline.failing, timeline.recovered_at)
    return changes[-1] if changes and changes[-1].transition is Transition.RESTORED else None


def joined_at(record: Record, timeline: Timeline) -> float | None:
    """When the added node got its first call, if it did."""
    return record.ejections.first_choice.get(timeline.added)


def _changes_since(record: Record, node: str, since: float | None) -> list[Change]:
    if since is None:
        return []
    return [change for change in record.ejections.changes if change.node == node and change.time >= since]


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures; times in seconds, None for what did not happen."""

    calls: int
    unanswered: Mapping[str, int]
    shares: Mapping[str, float]
    """Each node's share of the calls while all were healthy; the sum is 1."""
    failing: str
    added: str
    failures_before: int | None
    """Failed calls to the failing node before its ejection."""
    failures_after: int | None
    """Failed calls to it after its ejection: probes."""
    failures_elsewhere: int
    """Failed calls to the other nodes."""
    to_ejection: float | None
    to_restore: float | None
    to_first_call: float | None

    def missed(self) -> list[str]:
        """One line for each thing that was not as expected."""
        lines = [f"Lars did not serve {times} calls: {reason}" for reason, times in sorted(self.unanswered.items())]
        even = 1 / len(self.shares) if self.shares else 0
        lines += [
            f"{node} got {share:.1%} of the calls while all nodes were healthy; an equal share is {even:.1%}"
            for node, share in self.shares.items()
            if abs(share - even) > even * MOST_UNEVEN
        ]
        if not self.shares:
            lines.append("no calls were made while all nodes were healthy")
        if self.failures_before is None:
            lines.append(f"{self.failing} was not ejected when it failed")
        elif self.failures_before > MOST_FAILURES:
            lines.append(
                f"{self.failing} was ejected only after {self.failures_before} failed calls; {MOST_FAILURES} at most"
            )
        if self.to_restore is None:
            lines.append(f"{self.failing} was not restored for good after it recovered")
        if self.to_first_call is None:
            lines.append(f"{self.added} got no call after `lars route add`")
        elif self.to_first_call > LONGEST_JOIN:
            lines.append(
                f"{self.added} got its first call {self.to_first_call:.1f} s after `lars route add`; "
                f"{LONGEST_JOIN:.0f} s at most"
            )
        return lines

    def lines(self) -> list[str]:
        """The summary as text."""
        shares = " ".join(f"{share:.1%}" for share in self.shares.values())
        figures = {
            "calls": self.calls,
            "calls that Lars did not serve": sum(self.unanswered.values()),
            "share of each node while all were healthy": shares or "-",
            f"failed calls until {self.failing} was ejected": _shown(self.failures_before),
            "failed calls after that (probes)": _shown(self.failures_after),
            "failed calls to other nodes": self.failures_elsewhere,
            "time from failure to ejection": _shown(self.to_ejection, " s"),
            "time from recovery to restoration": _shown(self.to_restore, " s"),
            f"time from `lars route add` to {self.added}'s first call": _shown(self.to_first_call, " s"),
        }
        width = max(map(len, figures))
        return [f"{what:{width}}  {figure}" for what, figure in figures.items()]

    def as_json(self) -> dict[str, object]:
        """The summary as JSON; times in seconds."""
        missed = self.missed()
        return {
            "ok": not missed,
            "missed": missed,
            "calls": self.calls,
            "unanswered": dict(self.unanswered),
            "shares": {node: round(share, 4) for node, share in self.shares.items()},
            "failures_before_set_aside": self.failures_before,
            "failures_after_set_aside": self.failures_after,
            "failures_on_other_nodes": self.failures_elsewhere,
            "seconds_to_set_aside": _rounded(self.to_ejection),
            "seconds_to_return": _rounded(self.to_restore),
            "seconds_to_first_call": _rounded(self.to_first_call),
        }


def summarize(record: Record, timeline: Timeline) -> Summary:
    """The figures of a run that has ended."""
    ejection = ejected(record, timeline)
    restoration = restored(record, timeline)
    joined = joined_at(record, timeline)
    failures = record.failures.get(timeline.failing, [])
    before = [number for number in failures if ejection and number < ejection.number]
    steady = timeline.steady_calls or {}
    total = sum(steady.values())
    return Summary(
        calls=record.calls.total(),
        unanswered=dict(record.unanswered),
        shares={node: calls / total for node, calls in sorted(steady.items())} if total else {},
        failing=timeline.failing,
        added=timeline.added,
        failures_before=len(before) if ejection else None,
        failures_after=len(failures) - len(before) if ejection else None,
        failures_elsewhere=sum(len(numbers) for node, numbers in record.failures.items() if node != timeline.failing),
        to_ejection=_since(ejection.time if ejection else None, timeline.failed_at),
        to_restore=_since(restoration.time if restoration else None, timeline.recovered_at),
        to_first_call=_since(joined, timeline.added_at),
    )


def _since(at: float | None, start: float | None) -> float | None:
    return None if at is None or start is None else at - start


def _shown(value: float | None, unit: str = "") -> str:
    if value is None:
        return "-"
    return f"{value:.2f}{unit}" if isinstance(value, float) else f"{value}{unit}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
