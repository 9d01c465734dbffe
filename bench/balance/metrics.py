"""What callers saw of one run: shares in %, latencies in ms, times in s."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bench.balance.scenario import Scenario
from bench.balance.server import FAILED, OK, REFUSED, TIMED_OUT
from bench.balance.simulation import Result

Numbers = dict[str, float | None]
Mask = NDArray[np.bool_]

EXPLANATIONS = {
    "fail%": "calls that failed or timed out",
    "refused%": "calls that the policy let be made to no host",
    "lost%": "the sum of both",
    "lost_fault%": "lost calls of those made during the fault",
    "lost_late%": "the same from 20 s after its beginning, or from its half if that is sooner",
    "lost_after%": "lost calls of those made after the fault",
    "p50": "the median latency, failed calls included, in ms",
    "p99": "99 % of calls took at most so many ms",
    "p99.9": "99.9 % of calls took at most so many ms",
    "max/mean": "calls of the busiest host without a fault against their mean, per worker",
    "first_burst": "herd: calls of the busiest host in the first burst against the mean host's",
    "burst": "herd: the mean of that over all bursts",
    "aside_agents%": "agents that ejected the bad host during the fault",
    "aside_s": "seconds until the median agent of these ejected it",
    "aside_calls": "calls to bad hosts that the median agent made until then",
    "share_gone_s": "seconds until the bad hosts' share of calls first falls below a fifth of the fair one",
    "return_s": "seconds after the fault until their share is first above four fifths of the fair one",
    "over_aside%": "share of the time for which agents had a host ejected that was well",
    "wall_s": "seconds that the simulation took",
}
"""What each number means. A number is None where the scenario has no such thing, or it never happened."""


def measure(scenario: Scenario, result: Result) -> Numbers:
    """All numbers of EXPLANATIONS for one run. Calls made while the scenario is warming up count nowhere."""
    numbers: Numbers = dict.fromkeys(EXPLANATIONS)
    after: Mask = result.times >= scenario.warm
    numbers |= _losses(scenario, result, after)
    numbers |= _latencies(result, after)
    numbers["max/mean"] = _busiest(scenario, result, after)
    if scenario.burst:
        numbers |= _bursts(scenario, result)
    if 0 < len(scenario.bad) < scenario.hosts:
        numbers |= _reaction(scenario, result)
    numbers["over_aside%"] = _needless(scenario, result)
    numbers["wall_s"] = round(result.wall, 1)
    return numbers


def _share(what: Mask, of: Mask) -> float:
    return round(100 * float(np.sum(what & of)) / max(1, int(np.sum(of))), 3)


def _losses(scenario: Scenario, result: Result, after: Mask) -> Numbers:
    begin, end = scenario.window
    times, outcomes = result.times, result.outcomes
    late = min(begin + 20, (begin + end) / 2)
    failed = _share((outcomes == FAILED) | (outcomes == TIMED_OUT), after)
    refused = _share(outcomes == REFUSED, after)
    lost = outcomes != OK
    return {
        "fail%": failed,
        "refused%": refused,
        "lost%": round(failed + refused, 3),
        "lost_fault%": _share(lost, (times >= begin) & (times < end)),
        "lost_late%": _share(lost, (times >= late) & (times < end)),
        "lost_after%": _share(lost, times >= end),
    }


def _latencies(result: Result, after: Mask) -> Numbers:
    costs = result.costs[after & (result.outcomes != REFUSED)] * 1000
    return {
        f"p{percent:g}": round(float(np.percentile(costs, percent)), 1) if len(costs) else None
        for percent in (50, 99, 99.9)
    }


def _busiest(scenario: Scenario, result: Result, after: Mask) -> float | None:
    good = [host for host in range(scenario.hosts) if host not in scenario.bad]
    if not good:
        return None
    loads = np.array([np.sum((result.hosts == host) & after) / scenario.workers[host] for host in good])
    return round(float(loads.max() / max(1e-9, loads.mean())), 3)


def _bursts(scenario: Scenario, result: Result) -> Numbers:
    number = ((result.times - 1.0) / scenario.burst + 1e-9).astype(int)
    fair = scenario.agents / scenario.hosts
    made = result.hosts >= 0
    peaks = [
        np.bincount(result.hosts[made & (number == burst)], minlength=scenario.hosts).max() / fair
        for burst in range(number.max() + 1)
    ]
    return {"burst": round(float(np.mean(peaks)), 2), "first_burst": round(float(peaks[0]), 2)}


def _reaction(scenario: Scenario, result: Result) -> Numbers:
    """How soon the agents leave the bad hosts alone, and how soon these have their share again."""
    begin, end = scenario.window
    firsts = []
    for agent, changes in enumerate(result.changes):
        when = [at for at, host, ejected in changes if ejected and host in scenario.bad and begin <= at < end]
        if when:
            firsts.append((agent, min(when)))
    numbers: Numbers = {"aside_agents%": round(100 * len(firsts) / scenario.agents, 1)}
    if firsts:
        numbers["aside_s"] = round(float(np.median([at for _, at in firsts])) - begin, 2)
        sick = np.isin(result.hosts, scenario.bad) & (result.times >= begin)
        until = [np.sum((result.agents == agent) & sick & (result.times < at)) for agent, at in firsts[:20]]
        numbers["aside_calls"] = round(float(np.median(until)), 1)
    numbers["share_gone_s"] = settled(scenario, result, (begin, end), below=0.2)
    if scenario.end > end + 10:
        numbers["return_s"] = settled(scenario, result, (end, scenario.end), above=0.8)
    return numbers


def settled(
    scenario: Scenario, result: Result, span: tuple[float, float], below: float = -1.0, above: float = -1.0
) -> float | None:
    """Seconds into the span until the bad hosts' share of the calls is first below or above that share of the fair one.

    The share is taken over 2 s, from 5 calls on that the bad hosts should have.
    """
    begin, end = span
    fair = sum(scenario.workers[host] for host in scenario.bad) / sum(scenario.workers)
    edges = np.arange(begin, end + 1e-9, 0.5)
    inside = (result.times >= begin) & (result.times < end) & (result.hosts >= 0)
    total, _ = np.histogram(result.times[inside], edges)
    sick, _ = np.histogram(result.times[inside & np.isin(result.hosts, scenario.bad)], edges)
    for first in range(len(total) - 3):
        calls = int(total[first : first + 4].sum())
        if calls * fair < 5:
            continue
        ratio = int(sick[first : first + 4].sum()) / calls / fair
        if (below >= 0 and ratio < below) or (0 <= above < ratio):
            return round(float(edges[first] - begin), 1)
    return None


def _needless(scenario: Scenario, result: Result) -> float:
    """The share, in %, of all agents' time with all hosts for which a host was ejected that was well."""
    ejected = sum(
        _overlap(_ejections(changes, host, scenario.end), _well(scenario, host))
        for changes in result.changes
        for host in range(scenario.hosts)
    )
    return round(100 * ejected / (scenario.agents * scenario.hosts * (scenario.end - scenario.warm)), 2)


def _well(scenario: Scenario, host: int) -> list[tuple[float, float]]:
    """When nothing is wrong with a host. All are slow in a brownout; in other scenarios only the bad hosts count."""
    begin, end = scenario.window
    if host in scenario.bad or scenario.name == "brownout":
        return [(scenario.warm, begin), (end, scenario.end)]
    return [(scenario.warm, scenario.end)]


def _ejections(changes: Iterable[tuple[float, int, bool]], host: int, end: float) -> list[tuple[float, float]]:
    """The spans for which one agent had a host ejected."""
    since: float | None = None
    spans = []
    for at, changed, ejected in changes:
        if changed != host:
            continue
        if ejected and since is None:
            since = at
        elif not ejected and since is not None:
            spans.append((since, at))
            since = None
    return spans if since is None else [*spans, (since, end)]


def _overlap(some: Iterable[tuple[float, float]], others: list[tuple[float, float]]) -> float:
    return sum(max(0.0, min(b, d) - max(a, c)) for a, b in some for c, d in others)
