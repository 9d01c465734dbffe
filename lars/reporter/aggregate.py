"""What a report means: its results added up by key. Pure; every result of every agent passes here.

See docs/design/reporter.md, aggregation.
"""

from typing import NamedTuple

from lars.db.report_rows import Rows
from lars.errors import LarsError
from lars.reporter.counter_deltas import CounterDeltas
from lars.route import MAX_PORT, ModuleId, module_id
from lars.wire.lars_pb2 import ReportStatusRequest

MAX_CLOCK_ERROR = 3600
"""Seconds: a report whose ts is further off than this counts for the minute of its arrival."""


class Malformed(LarsError):
    """A report that cannot be right; the text says why."""


class Taken(NamedTuple):
    """What taking a report has changed."""

    new_rows: int
    """Keys that were not there before."""
    skipped: int
    """Results for hosts that cannot exist."""


def check(request: ReportStatusRequest) -> None:
    """Raises Malformed or InvalidRoute for a report that no agent can mean.

    Module (0, 0) without results is none of these: it says that the caller lives.
    """
    if request.boot and not request.seq:
        raise Malformed("a report of a run that is numbered 0: reports count from 1")
    if request.results or request.modid or request.cmdid:
        module_id(request.modid, request.cmdid)


def timestamp(ts: int, now: float) -> int:
    """When a report's calls happened: its ts, or its arrival if that is an hour or more away. Unix seconds."""
    return ts if abs(ts - now) <= MAX_CLOCK_ERROR else int(now)


def add_up(request: ReportStatusRequest, ts: int, rows: Rows, counters: CounterDeltas) -> Taken:
    """Adds a report's results to what waits already; the latest state of each host holds.

    Args:
        request: a report that `check` has let pass.
        ts: as `timestamp` gives it.
        rows: what waits of the same caller.
        counters: those of the connection, for a C++ agent.
    """
    if not request.results:
        return Taken(0, 0)
    module = ModuleId(request.modid, request.cmdid)
    status = rows.status.setdefault(module, {})
    kept = len(status)
    minute_of_module = (ts - ts % 60, *module)
    happened = rows.calls if request.period_ms else rows.derived
    calls = happened.setdefault(minute_of_module, {})
    kept += len(calls)
    skipped = 0
    derive = None if request.period_ms else counters.of(request.caller, module)
    for result in request.results:
        ip, port = result.ip, result.port
        if not (ip and 0 < port <= MAX_PORT):
            skipped += 1
            continue
        host = ip << 16 | port
        succ, err = result.succ, result.err
        status[host] = succ, err, ts, result.overload
        if derive is not None:
            succ, err = derive(host, succ, err)
        if succ or err:
            sums = calls.get(host)
            if sums is None:
                calls[host] = [succ, err]
            else:
                sums[0] += succ
                sums[1] += err
    taken = Taken(len(status) + len(calls) - kept, skipped)
    if not calls:
        del happened[minute_of_module]
    return taken
