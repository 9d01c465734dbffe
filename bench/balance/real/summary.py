"""What callers noticed of one event, in a real run and in the simulator's alike. Pure."""

import numpy as np

from bench.balance.metrics import Numbers, settled
from bench.balance.real.events import Event
from bench.balance.scenario import Scenario
from bench.balance.server import OK, REFUSED
from bench.balance.simulation import Result


def summarize(scenario: Scenario, event: Event, result: Result) -> Numbers:
    """The numbers of an event: shares in %, latencies in ms, times in s; None for what did not happen.

    calls: made from the begin of the fault until the next event.
    lost%: those that failed, timed out or were made to no host.
    p50, p99: their latency, failed ones included.
    ejected_s: from the begin of the fault until the host was ejected by the agent.
    failed_until_ejected: failed calls of those made until then.
    failed_after: failed calls made later.
    return_s: from the end of the fault until the host's share of calls is first above four fifths of an equal one.
    """
    counted = (result.times >= event.begin) & (result.times < event.stop)
    calls, failed = int(counted.sum()), counted & (result.outcomes != OK)
    costs = result.costs[counted & (result.outcomes != REFUSED)] * 1000
    ejected_at = _ejected_at(event, result)
    until = None if ejected_at is None else int((failed & (result.times < ejected_at)).sum())
    return {
        "calls": calls,
        "lost%": round(100 * int(failed.sum()) / max(1, calls), 3),
        "p50": _percentile(costs, 50),
        "p99": _percentile(costs, 99),
        "failed_until_ejected": until,
        "failed_after": None if until is None else int(failed.sum()) - until,
        "ejected_s": None if ejected_at is None else round(ejected_at - event.begin, 2),
        "return_s": settled(scenario, result, (event.end, event.stop), above=0.8),
    }


def _percentile(costs: np.ndarray, percent: float) -> float | None:
    return round(float(np.percentile(costs, percent)), 1) if len(costs) else None


def _ejected_at(event: Event, result: Result) -> float | None:
    found = [
        at
        for changes in result.changes
        for at, host, ejected in changes
        if ejected and host == event.host and event.begin <= at < event.end
    ]
    return min(found) if found else None
