"""What the demo measured, and whether it is as expected. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from lars.cli.demo.node_states import Change, NodeStates, Transition
from lars.cli.demo.record import Record
from lars.wording import counted

MOST_UNEVEN = 0.1
"""How far a healthy node's share may be from an equal one, as a fraction of that."""
MOST_FAILURES = 5
"""Failed calls until the failing node must be ejected (docs/design/balancing.md, ejection)."""
MOST_PROBES = 10
"""Failed calls to it after that."""
MOST_SLOW = 0.5
"""The share of calls that the slow node may get, as a fraction of an equal one."""
LONGEST_JOIN = 3.0
"""Seconds from `route add` to the added node's first call: dns polls every second.

See docs/design/dns.md, watching the database.
"""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What was done to which node and when, by the clock of the record; None for what did not happen.

    Attributes:
        failing, slow, added: the nodes.
        failed_at, recovered_at, regained_at: when the failing one began to fail, worked again, and had four fifths of
            an equal share of the calls again.
        added_at: when `route add` began.
        steady_calls: calls by node until the failing one started to fail, while all nodes were healthy.
        slow_calls: calls by node while the slow one was slow.
    """

    failing: str
    slow: str
    added: str
    failed_at: float | None = None
    recovered_at: float | None = None
    regained_at: float | None = None
    added_at: float | None = None
    steady_calls: Mapping[str, int] | None = None
    slow_calls: Mapping[str, int] | None = None


def ejected(states: NodeStates, timeline: Timeline) -> Change | None:
    """The ejection of the failing node, if it was ejected."""
    changes = _changes_since(states, timeline.failing, timeline.failed_at)
    return next((change for change in changes if change.transition is Transition.EJECTED), None)


def restored(states: NodeStates, timeline: Timeline) -> Change | None:
    """The last restoration of the failing node after its recovery, unless it was ejected again."""
    changes = _changes_since(states, timeline.failing, timeline.recovered_at)
    return changes[-1] if changes and changes[-1].transition is Transition.RESTORED else None


def _changes_since(states: NodeStates, node: str, since: float | None) -> list[Change]:
    if since is None:
        return []
    return [change for change in states.changes if change.node == node and change.time >= since]


def slow_shares(timeline: Timeline) -> tuple[float, float] | None:
    """The slow node's share of the calls while it was slow, and an equal share of the calls to it and the other nodes.

    The failing node does not count: it is ejected meanwhile.
    """
    calls = {node: times for node, times in (timeline.slow_calls or {}).items() if node != timeline.failing}
    total = sum(calls.values())
    return (calls.get(timeline.slow, 0) / total, 1 / len({*calls, timeline.slow})) if total else None


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures; times in seconds, shares from 0 to 1, None for what did not happen."""

    calls: int
    unanswered: Mapping[str, int]
    shares: Mapping[str, float]
    """Each node's share of the calls while all were healthy; the sum is 1."""
    failing: str
    slow: str
    added: str
    failures_before: int | None
    """Failed calls to the failing node before its ejection."""
    failures_after: int | None
    """Failed calls to it after its ejection: probes."""
    failures_elsewhere: int
    """Failed calls to the other nodes."""
    slow_share: float | None
    """The slow node's share of the calls while it was slow."""
    equal_share: float | None
    """What an equal share was then."""
    to_ejection: float | None
    to_restore: float | None
    to_full_share: float | None
    """From the restoration."""
    to_first_call: float | None

    def missed(self) -> list[str]:
        """One line for each thing that was not as expected."""
        lines = [
            f"Lars did not serve {counted(times, 'call')}: {reason}"
            for reason, times in sorted(self.unanswered.items())
        ]
        return [*lines, *self._missed_while_healthy(), *self._missed_failure(), *self._missed_return()]

    def _missed_while_healthy(self) -> list[str]:
        if not self.shares:
            return ["no calls were made while all nodes were healthy"]
        even = 1 / len(self.shares)
        return [
            f"{node} got {share:.1%} of the calls while all nodes were healthy; an equal share is {even:.1%}"
            for node, share in self.shares.items()
            if abs(share - even) > even * MOST_UNEVEN
        ]

    def _missed_failure(self) -> list[str]:
        if self.failures_before is None or self.failures_after is None:
            return [f"{self.failing} was not ejected when it failed"]
        lines = []
        if self.failures_before > MOST_FAILURES:
            lines.append(
                f"{self.failing} was ejected only after {self.failures_before} failed calls; {MOST_FAILURES} at most"
            )
        if self.failures_after > MOST_PROBES:
            lines.append(
                f"{self.failures_after} calls to {self.failing} failed after its ejection; {MOST_PROBES} at most"
            )
        return lines

    def _missed_return(self) -> list[str]:
        lines = []
        if self.slow_share is None or self.equal_share is None:
            lines.append(f"no calls were made while {self.slow} was slow")
        elif self.slow_share > MOST_SLOW * self.equal_share:
            lines.append(
                f"{self.slow} got {self.slow_share:.1%} of the calls while it was slow; "
                f"{MOST_SLOW * self.equal_share:.1%} at most"
            )
        if self.to_restore is None:
            lines.append(f"{self.failing} was not restored for good after it recovered")
        elif self.to_full_share is None:
            lines.append(f"{self.failing} did not get its full share again")
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
        slow = None
        if self.slow_share is not None and self.equal_share is not None:
            slow = f"{self.slow_share:.1%} instead of {self.equal_share:.1%}"
        figures = {
            "calls": self.calls,
            "calls that Lars did not serve": sum(self.unanswered.values()),
            "share of each node while all were healthy": " ".join(f"{s:.1%}" for s in self.shares.values()) or "-",
            f"failed calls until {self.failing} was ejected": _shown(self.failures_before),
            "failed calls after that (probes)": _shown(self.failures_after),
            "failed calls to other nodes": self.failures_elsewhere,
            f"share of {self.slow} while it was ten times slower": _shown(slow),
            "time from failure to ejection": _shown(self.to_ejection, " s"),
            "time from recovery to restoration": _shown(self.to_restore, " s"),
            "time from restoration to full share": _shown(self.to_full_share, " s"),
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
            "slow_share": _rounded(self.slow_share),
            "equal_share": _rounded(self.equal_share),
            "seconds_to_set_aside": _rounded(self.to_ejection),
            "seconds_to_return": _rounded(self.to_restore),
            "seconds_to_full_share": _rounded(self.to_full_share),
            "seconds_to_first_call": _rounded(self.to_first_call),
        }


def summarize(record: Record, states: NodeStates, timeline: Timeline) -> Summary:
    """The figures of a run that has ended."""
    ejection = ejected(states, timeline)
    restoration = restored(states, timeline)
    failures = record.failures[timeline.failing]
    steady = timeline.steady_calls or {}
    total = sum(steady.values())
    slow = slow_shares(timeline)
    return Summary(
        calls=record.calls.total(),
        unanswered=dict(record.unanswered),
        shares={node: calls / total for node, calls in sorted(steady.items())} if total else {},
        failing=timeline.failing,
        slow=timeline.slow,
        added=timeline.added,
        failures_before=ejection.failures if ejection else None,
        failures_after=failures - ejection.failures if ejection else None,
        failures_elsewhere=record.failures.total() - failures,
        slow_share=slow[0] if slow else None,
        equal_share=slow[1] if slow else None,
        to_ejection=_since(ejection.time if ejection else None, timeline.failed_at),
        to_restore=_since(restoration.time if restoration else None, timeline.recovered_at),
        to_full_share=_since(timeline.regained_at, restoration.time if restoration else None),
        to_first_call=_since(record.first_call.get(timeline.added), timeline.added_at),
    )


def _since(at: float | None, start: float | None) -> float | None:
    return None if at is None or start is None else at - start


def _shown(value: float | str | None, unit: str = "") -> str:
    if value is None:
        return "-"
    return f"{value:.2f}{unit}" if isinstance(value, float) else f"{value}{unit}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
