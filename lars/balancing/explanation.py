"""How the policies that eject would choose now, and why: for people who look at a module (`lars explain`).

Shares are estimates from the state of this moment: a call in flight more or less moves those of adaptive.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Generic

from lars.balancing.checked_ejection import CheckedEjection
from lars.balancing.host import MAX_WHY, H, HostExplanation, HostState, HostView
from lars.balancing.picker import Picker, load
from lars.balancing.record import Record
from lars.host_condition import Condition
from lars.wording import counted


def state_of(record: Record[H]) -> HostState:
    """The state of a host."""
    if not record.ejected:
        return HostState.HEALTHY
    return HostState.UNHEALTHY if record.unhealthy else HostState.EJECTED


def view_of(record: Record[H], warm: float) -> HostView[H]:
    """How a host is seen; `warm` is the part of its share of calls that it gets by now, 0 to 1."""
    if not record.routed:
        condition, reason = Condition.DRAINING, ""
    elif record.ejected and record.blamed:
        condition, reason = Condition.EJECTED, "; ".join(filter(None, (record.evidence, record.unhealthy)))
    elif record.unhealthy:  # also while all take calls because none is healthy
        condition, reason = Condition.UNHEALTHY, record.unhealthy
    elif record.ejected:
        condition, reason = Condition.EJECTED, record.evidence
    elif warm < 1:
        condition, reason = Condition.WARMING_UP, f"{warm:.0%}"
    else:
        condition, reason = Condition.HEALTHY, ""
    return HostView(record.host, condition, reason[:MAX_WHY], record.latency)


class Explainer(Generic[H]):
    """Explains the hosts of one module.

    Args:
        ejection: which hosts are eligible.
        picker: picks among these.
        taking: those of them that it picks from.
        admitted: the share of calls that is not shed.
        recent: seconds that calls of the module take now; 0 while unknown.
        ramp: seconds in which a host that joins gets its share.
        draws: hosts drawn besides one that has just failed, or that is not due its share yet.
        least: the share of its calls that a host gets from the start of its ramp.
    """

    def __init__(
        self,
        ejection: CheckedEjection[H],
        picker: Picker[H],
        taking: Sequence[Record[H]],
        *,
        admitted: float,
        recent: float,
        ramp: float,
        draws: int,
        least: float,
    ) -> None:
        self._ejection = ejection
        self._picker = picker
        self._taking = taking
        self._admitted = admitted
        self._recent = recent
        self._ramp = ramp
        self._draws = draws
        self._least = least
        self._probed: set[int] = set()

    def explain(self, records: Iterable[Record[H]]) -> list[HostExplanation]:
        """What is known of some hosts of the module, in their order."""
        ejection = self._ejection
        probed = ejection.probeable()
        self._probed = {id(record) for record in probed}
        probes = 0.5 * self._admitted if probed and ejection.in_trouble else 0.0
        shares = {
            id(record): share * (self._admitted - probes)
            for record, share in zip(self._taking, self._eligible_shares(), strict=True)
        }
        for record in probed:
            shares[id(record)] = probes / len(probed)
        return [self._explained(record, shares.get(id(record), 0.0)) for record in records]

    def _eligible_shares(self) -> list[float]:
        """The share of the picked calls that each host gets, after the second thoughts about some."""
        eligible = self._taking
        if not eligible:
            return []
        picked = self._picker.shares(eligible)
        ramps = [self._ejection.share(record) for record in eligible]
        if all(ramp >= 1 for ramp in ramps) and not any(record.pain for record in eligible):
            return picked
        count = len(eligible)
        loads = sorted(map(load, eligible))
        none_drawn = (1 - sum(ramps) / count) ** self._draws
        kept = []
        for record, share, ramp in zip(eligible, picked, ramps, strict=True):
            if record.pain:  # kept if none of the draws is cheaper
                kept.append(share * (1 - bisect_left(loads, load(record)) / count) ** self._draws)
            else:
                keep = max(self._least, ramp)
                kept.append(share * (keep + (1 - keep) * none_drawn))
        draws = [ramp if not record.pain else 0.0 for record, ramp in zip(eligible, ramps, strict=True)]
        if not any(draws):
            draws = [1.0] * count
        passed_on, total = sum(picked) - sum(kept), sum(draws)
        return [share + passed_on * draw / total for share, draw in zip(kept, draws, strict=True)]

    def _warm(self, record: Record[H]) -> float:
        """The part of its share that a host gets by now, 0 to 1."""
        return max(self._least, self._ejection.share(record))

    def _explained(self, record: Record[H], share: float) -> HostExplanation:
        view = view_of(record, self._warm(record))
        return HostExplanation(
            address=record.host.address,
            state=state_of(record),
            share=share,
            calls=max(0.0, record.good + record.bad),
            failures=max(0.0, record.bad),
            failures_in_a_row=record.failures,
            in_flight=record.in_flight,
            latency=record.latency or None,
            next_probe=self._next_probe(record),
            why=self._why(record)[:MAX_WHY],
            condition=view.condition,
            reason=view.reason,
        )

    def _next_probe(self, record: Record[H]) -> float | None:
        if id(record) not in self._probed:
            return None
        return 0.0 if record.deadline == -math.inf else max(0.0, record.probe_at - self._ejection.clock)

    def _why(self, record: Record[H]) -> str:
        ejection = self._ejection
        if not record.routed:
            return "drained: its weight is 0"
        if record.unhealthy:
            return f"unhealthy: {record.unhealthy}" + ("" if record.ejected else "; none is healthy")
        if record.ejected:
            if record.vouched:
                return "failed calls; its checks pass: a call probes it"
            if ejection.in_trouble and id(record) in self._probed:
                return "most calls fail: every other call is a probe"
            return f"failed while others did not; {counted(min(record.strikes, 999), 'strike')}"
        if not record.weight:
            return "in another zone: those of this one suffice"
        if record.pain and len(ejection.eligible) > 1:
            return f"has just failed ({min(record.failures, 999)} in a row): others are preferred"
        if (since := ejection.clock - record.joined_at) < self._ramp:
            return f"joined or restored {since:.1f} s ago: {self._warm(record):.0%} of its share"
        if record.penalty > 1 and self._recent:
            return f"slow: its calls take {min(record.latency / self._recent, 999.0):.1f} times the module's"
        if self._admitted < 1:
            return f"load is shed: {self._admitted:.0%} of calls are admitted"
        return (
            "the only host that is not ejected"
            if ejection.ejected and len(ejection.eligible) == 1
            else "takes its share"
        )
