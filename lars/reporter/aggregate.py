"""Adds up the results of reports by the keys under which they are written. Pure; a hot path.

See docs/design/reporter.md, aggregation.
"""

from typing import NamedTuple

from lars.db.report_rows import Rows
from lars.errors import LarsError
from lars.reporter.counter_deltas import CounterDeltas
from lars.route import MAX_PORT, ModuleId, module_id
from lars.wire.lars_pb2 import ReportStatusRequest


class Malformed(LarsError):
    """A report is invalid; the text says why."""


class Added(NamedTuple):
    """What adding a report changed."""

    new_rows: int
    """Keys that were not pending before."""
    skipped: int
    """Results with an invalid host."""


def check(request: ReportStatusRequest) -> None:
    """Raises Malformed or InvalidRoute if a report is invalid.

    Module (0, 0) without results is valid: it says that the caller is up.
    """
    if request.boot and not request.seq:
        raise Malformed("seq is 0 in a report with a boot: reports are numbered from 1")
    if request.results or request.modid or request.cmdid:
        module_id(request.modid, request.cmdid)


def add_report(request: ReportStatusRequest, happened: int, arrived: int, rows: Rows, counters: CounterDeltas) -> Added:
    """Adds a report's results to the pending rows; the latest state of each host replaces earlier ones.

    Args:
        request: a report that `check` accepts.
        happened: when its calls happened, as `happened_at` returns it.
        arrived: when it arrived, in Unix seconds by the database's clock.
        rows: pending rows of the same caller; changed in place.
        counters: those of the connection, used for a C++ agent only.
    """
    if not request.results:
        return Added(0, 0)
    module = ModuleId(request.modid, request.cmdid)
    status = rows.status.setdefault(module, {})
    before = len(status)
    minute_of_module = (happened - happened % 60, *module)
    target = rows.calls if request.period_ms else rows.derived
    calls = target.setdefault(minute_of_module, {})
    before += len(calls)
    skipped = 0
    delta = None if request.period_ms else counters.of(request.caller, module)
    for result in request.results:
        ip, port = result.ip, result.port
        if not (ip and 0 < port <= MAX_PORT):
            skipped += 1
            continue
        host = ip << 16 | port
        succ, err = result.succ, result.err
        status[host] = succ, err, arrived, result.overload
        if delta is not None:
            succ, err = delta(host, succ, err)
        if succ or err:
            sums = calls.get(host)
            if sums is None:
                calls[host] = [succ, err]
            else:
                sums[0] += succ
                sums[1] += err
    added = Added(len(status) + len(calls) - before, skipped)
    if not calls:
        del target[minute_of_module]
    return added
