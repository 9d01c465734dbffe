"""Reports as agents send them, for the tests of lars-reporter."""

from lars.wire.lars_pb2 import HostCallResult, ReportStatusRequest

Result = tuple[int, int, int, int, bool]
"""ip, port, succ, err, overload."""


def report(
    *results: Result,
    seq: int = 1,
    boot: int = 7,
    caller: int = 9,
    ts: int = 1_795_362_599,
    modid: int = 1,
    cmdid: int = 2,
    period_ms: int = 5000,
) -> ReportStatusRequest:
    """A report of a Lars agent; with boot and period_ms 0, of a C++ agent."""
    return ReportStatusRequest(
        modid=modid,
        cmdid=cmdid,
        caller=caller,
        ts=ts,
        period_ms=period_ms,
        boot=boot,
        seq=seq if boot else 0,
        results=[HostCallResult(ip=i, port=p, succ=s, err=e, overload=o) for i, p, s, e, o in results],
    )


def cpp_report(*results: Result, ts: int = 1_795_362_599, caller: int = 9) -> ReportStatusRequest:
    """A report of a C++ agent: running counters."""
    return report(*results, boot=0, period_ms=0, ts=ts, caller=caller)
