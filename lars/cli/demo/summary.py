"""What the demo measured, and whether all of it was as Lars promises."""

from collections.abc import Mapping
from dataclasses import dataclass

from lars.cli.demo.ejections import Change, Turn
from lars.cli.demo.record import Record

MOST_UNEVEN = 0.05
"""How far a healthy node's calls may be from even, as a part of even."""
MOST_FAILURES = 20
"""How many calls may fail before the failing node is set aside; the balancer's limit is 15 in a row.

See docs/design/balancing.md, classic.
"""
LONGEST_JOIN = 3.0
"""Seconds from `route add` to the added node's first call: dns looks every second.

See docs/design/dns.md, watching the database.
"""


@dataclass(frozen=True, slots=True)
class Script:
    """Who failed and who was added, and when, in the clock of the record; None for what was not come to."""

    failing: str
    added: str
    failed_at: float | None = None
    healed_at: float | None = None
    added_at: float | None = None
    steady_calls: Mapping[str, int] | None = None
    """Calls by node when the failing node began to fail, all nodes having been healthy until then."""


def set_aside(record: Record, script: Script) -> Change | None:
    """When the failing node was set aside for its failures, if it was."""
    turns = _changes_since(record, script.failing, script.failed_at)
    return next((change for change in turns if change.turn is Turn.SET_ASIDE), None)


def returned(record: Record, script: Script) -> Change | None:
    """When the failing node came back after healing, if it did and is still there."""
    turns = _changes_since(record, script.failing, script.healed_at)
    return turns[-1] if turns and turns[-1].turn is Turn.RETURNED else None


def joined_at(record: Record, script: Script) -> float | None:
    """When the added node got its first call, if it did."""
    return record.rotation.first_choice.get(script.added)


def _changes_since(record: Record, node: str, since: float | None) -> list[Change]:
    if since is None:
        return []
    return [change for change in record.rotation.changes if change.node == node and change.time >= since]


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures: times in seconds, None where the thing did not happen."""

    calls: int
    unanswered: Mapping[str, int]
    shares: Mapping[str, float]
    """Each node's part of the calls while all were healthy; they sum up to 1."""
    failing: str
    added: str
    failures_before: int | None
    """Failed calls to the failing node until it was set aside."""
    failures_after: int | None
    """Failed calls to it from then on: probes."""
    failures_elsewhere: int
    """Failed calls to the other nodes."""
    to_set_aside: float | None
    to_return: float | None
    to_first_call: float | None

    def missed(self) -> list[str]:
        """One line for each thing that did not happen as it should."""
        lines = [f"Lars did not serve {times} calls: {reason}" for reason, times in sorted(self.unanswered.items())]
        even = 1 / len(self.shares) if self.shares else 0
        lines += [
            f"{node} got {share:.1%} of the calls while all nodes were healthy; even is {even:.1%}"
            for node, share in self.shares.items()
            if abs(share - even) > even * MOST_UNEVEN
        ]
        if not self.shares:
            lines.append("no calls were made while all nodes were healthy")
        if self.failures_before is None:
            lines.append(f"{self.failing} was not set aside when it failed")
        elif self.failures_before > MOST_FAILURES:
            lines.append(
                f"{self.failing} was set aside only after {self.failures_before} failed calls; {MOST_FAILURES} at most"
            )
        if self.to_return is None:
            lines.append(f"{self.failing} did not return to the rotation for good after it healed")
        if self.to_first_call is None:
            lines.append(f"{self.added} got no call after `lars route add`")
        elif self.to_first_call > LONGEST_JOIN:
            lines.append(
                f"{self.added} got its first call {self.to_first_call:.1f} s after `lars route add`; "
                f"{LONGEST_JOIN:.0f} s at most"
            )
        return lines

    def lines(self) -> list[str]:
        """The summary as a person reads it."""
        shares = " ".join(f"{share:.1%}" for share in self.shares.values())
        figures = {
            "calls": self.calls,
            "calls that Lars did not serve": sum(self.unanswered.values()),
            "each node's share while all were healthy": shares or "-",
            f"failed calls until {self.failing} was set aside": _shown(self.failures_before),
            "failed calls after that: its probes": _shown(self.failures_after),
            "failed calls to other nodes": self.failures_elsewhere,
            "from first failing to set aside": _shown(self.to_set_aside, " s"),
            "from healing to back in rotation": _shown(self.to_return, " s"),
            f"from `lars route add` to {self.added}'s first call": _shown(self.to_first_call, " s"),
        }
        width = max(map(len, figures))
        return [f"{what:{width}}  {figure}" for what, figure in figures.items()]

    def as_json(self) -> dict[str, object]:
        """The summary for programs; times in seconds."""
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
            "seconds_to_set_aside": _rounded(self.to_set_aside),
            "seconds_to_return": _rounded(self.to_return),
            "seconds_to_first_call": _rounded(self.to_first_call),
        }


def summarize(record: Record, script: Script) -> Summary:
    """The figures of a run that has ended."""
    aside = set_aside(record, script)
    back = returned(record, script)
    joined = joined_at(record, script)
    failures = record.failures.get(script.failing, [])
    before = [number for number in failures if aside and number < aside.number]
    steady = script.steady_calls or {}
    total = sum(steady.values())
    return Summary(
        calls=record.calls.total(),
        unanswered=dict(record.unanswered),
        shares={node: calls / total for node, calls in sorted(steady.items())} if total else {},
        failing=script.failing,
        added=script.added,
        failures_before=len(before) if aside else None,
        failures_after=len(failures) - len(before) if aside else None,
        failures_elsewhere=sum(len(numbers) for node, numbers in record.failures.items() if node != script.failing),
        to_set_aside=_since(aside.time if aside else None, script.failed_at),
        to_return=_since(back.time if back else None, script.healed_at),
        to_first_call=_since(joined, script.added_at),
    )


def _since(at: float | None, start: float | None) -> float | None:
    return None if at is None or start is None else at - start


def _shown(value: float | None, unit: str = "") -> str:
    if value is None:
        return "-"
    return f"{value:.2f}{unit}" if isinstance(value, float) else f"{value}{unit}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
