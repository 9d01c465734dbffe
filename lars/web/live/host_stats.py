"""Statistics of hosts and of the fleet, from the counts in the database: pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lars.db.calls import Minutes, ModuleCalls
from lars.db.host_states import HostState, Watched
from lars.db.reports import HostSeenBy
from lars.host_condition import Condition
from lars.host_record import PLAIN, HostRecord
from lars.route import HostAddress

OUT = (Condition.EJECTED, Condition.UNHEALTHY)
"""The states in which a caller gives a host no calls of its own accord."""

LAG = 3.0
"""Seconds that a call takes into the database, about: agents report every five."""


def calls_a_second(minutes: Minutes, now: float) -> tuple[float, float]:
    """Successes and failures a second over the last minute; `now` in Unix seconds.

    Of the minute before the running one, the part is taken that the running one still lacks.
    """
    until = now - LAG
    running = int(until) // 60 * 60
    part = 1 - (until - running) / 60
    before = minutes.get(running - 60, (0, 0))
    lately = [minutes.get(minute, (0, 0)) for minute in minutes if minute >= running]
    succ, err = (sum(calls[i] for calls in lately) + part * before[i] for i in (0, 1))
    return succ / 60, err / 60


@dataclass(frozen=True, slots=True)
class HostStats:
    """A host of a module: its `calls`, out of `of` of the whole module, in the window, and its state at its callers."""

    host: HostAddress
    in_route: bool
    state: str
    """ "draining" (by an operator), "drained" (weight 0), "ejected" or "unhealthy" (at some callers), "failing" (more
    than 1 % of its calls), "healthy", or "silent" when no caller has reported on it lately."""
    callers: int
    ejected_by: int
    last_report: int
    calls: int
    err: int
    of: int
    record: HostRecord = PLAIN
    reason: str = ""
    """Why it is ejected or unhealthy, in a few words, as one of these callers says."""


PAGE = 100
"""Hosts on a page of a module."""


def host_page(hosts: Sequence[HostStats], number: int) -> Sequence[HostStats]:
    """The hosts of a page, whose numbers begin with 1."""
    return hosts[(number - 1) * PAGE : number * PAGE]


def zone_calls(hosts: Iterable[HostStats]) -> dict[str, int]:
    """The calls that the hosts of each zone got, by zone; empty if no host has one. "" is for hosts without."""
    calls: Counter[str] = Counter()
    for host in hosts:
        calls[host.record.zone] += host.calls
    return dict(sorted(calls.items())) if any(calls) else {}


def host_stats(watched: Watched) -> list[HostStats]:
    """The hosts of the route, the ejected and failing first, then hosts that were called and are no longer in it."""
    of = sum(calls.succ + calls.err for calls in watched.calls.values())
    route = set(watched.module.hosts)
    called = {host for host, calls in watched.calls.items() if calls.succ + calls.err}
    hosts = []
    for host in route | called:
        state = watched.states.get(host, HostState(0, 0, 0))
        calls = watched.calls.get(host, ModuleCalls(0, 0))
        total = calls.succ + calls.err
        record = watched.module.records.get(host, PLAIN)
        view = (
            next((v for v in watched.seen.get(host, ()) if v.condition in OUT), None) if state.overloaded_at else None
        )
        hosts.append(
            HostStats(
                host,
                host in route,
                _word(record, state, calls, view),
                state.callers,
                state.overloaded_at,
                state.last_report,
                total,
                calls.err,
                of,
                record,
                view.reason if view is not None and record.weight else "",
            )
        )
    return sorted(
        hosts, key=lambda h: (not h.in_route, h.state not in ("ejected", "unhealthy"), h.state != "failing", h.host)
    )


def _word(record: HostRecord, state: HostState, calls: ModuleCalls, view: HostSeenBy | None) -> str:
    if not record.weight:
        return "draining" if record.draining else "drained"
    if state.overloaded_at:
        return view.condition.word if view is not None else "ejected"
    if calls.err * 100 > calls.succ + calls.err:  # more than one in a hundred, as for modules in trouble
        return "failing"
    return "healthy" if state.callers else "silent"
