"""What a report means: its results as rows to be added up (design 9). Pure."""

from dataclasses import dataclass, field

from lars.db.reports import Calls, HistoryKey, Report, Status, StatusKey
from lars.route import MAX_PORT, module_id
from lars.wire.lars_pb2 import HostCallResult, ReportStatusRequest

MAX_CLOCK_ERROR = 3600
"""Seconds: a report whose ts is further off than this counts for the minute of its arrival."""

MAX_STATUS_COUNT = 2**31 - 1
"""What the columns of ServerCallStatus hold; more is clamped."""


@dataclass(slots=True)
class RunningCounters:
    """The counters of a C++ agent, which run within a window and restart with each.

    One for each connection: the first value seen of a counter is the base, and says nothing of what happened.
    """

    _last: dict[StatusKey, tuple[int, int]] = field(default_factory=dict)

    def increase(self, key: StatusKey, succ: int, err: int) -> tuple[int, int]:
        """What happened since the key was last seen; a counter that fell has restarted from 0."""
        last = self._last.get(key)
        self._last[key] = (succ, err)
        if last is None:
            return 0, 0
        if succ < last[0] or err < last[1]:
            return succ, err
        return succ - last[0], err - last[1]


def read_report(request: ReportStatusRequest, now: float, counters: RunningCounters) -> Report:
    """The rows of one report.

    Args:
        request: as it came; (0, 0) without results only says that the caller lives.
        now: arrival, Unix seconds.
        counters: those of the connection, for a C++ agent.

    Raises InvalidRoute if it names a module that cannot exist; results for hosts that cannot exist are left out.
    """
    if request.results or request.modid or request.cmdid:
        module_id(request.modid, request.cmdid)
    ts = request.ts if abs(request.ts - now) <= MAX_CLOCK_ERROR else int(now)
    minute = ts - ts % 60
    status: dict[StatusKey, Status] = {}
    calls: dict[HistoryKey, Calls] = {}
    for result in request.results:
        if not 0 < result.port <= MAX_PORT or not result.ip:
            continue
        key = StatusKey(request.modid, request.cmdid, result.ip, result.port, request.caller)
        status[key] = Status(min(result.succ, MAX_STATUS_COUNT), min(result.err, MAX_STATUS_COUNT), ts, result.overload)
        happened = _happened(request, key, result, counters)
        if happened.succ or happened.err:
            history = HistoryKey(minute, *key[:4])
            before = calls.get(history, Calls(0, 0))
            calls[history] = Calls(*(a + b for a, b in zip(before, happened, strict=True)))
    return Report(request.caller, request.boot, request.seq, status, calls)


def _happened(request: ReportStatusRequest, key: StatusKey, result: HostCallResult, counters: RunningCounters) -> Calls:
    if request.period_ms:
        return Calls(result.succ, result.err)
    succ, err = counters.increase(key, result.succ, result.err)
    return Calls(succ, err, succ + err)
