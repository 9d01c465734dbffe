"""How each caller sees each host, as tables and --json have it. Pure."""

from lars.db.callers import CallerView
from lars.route import format_ip

COLUMNS = ("MODID", "CMDID", "HOST", "CALLER", "STATE", "FOR", "SUCC", "ERR", "ERR%", "LATENCY")


def state_with_reason(word: str, reason: str) -> str:
    """A state and why: "ejected: 3 of 3 recent calls failed"."""
    return f"{word}: {reason}" if reason else word


def caller_name(view: CallerView) -> str:
    """The caller's address, with the name of its machine where that is known: "10.0.0.9 (shop-3)"."""
    address = format_ip(view.caller)
    return f"{address} ({view.hostname})" if view.hostname else address


def caller_cells(view: CallerView, now: float) -> tuple[object, ...]:
    """The cells below COLUMNS; `now` is in Unix seconds. Counts of another period than a minute are marked."""
    calls = view.succ + view.err
    mark = "" if view.period else "~"
    return (
        *view.module,
        str(view.host),
        caller_name(view),
        state_with_reason(view.condition.word, view.reason),
        duration(now - view.since) if view.since else "-",
        f"{mark}{view.succ}",
        f"{mark}{view.err}",
        round(100 * view.err / calls, 1) if calls else 0.0,
        "-" if view.latency is None else f"{view.latency * 1000:.1f} ms",
    )


def caller_json(view: CallerView) -> dict[str, object]:
    """The same for --json; times are in Unix seconds, latency in seconds."""
    return {
        **view.module._asdict(),
        "host": str(view.host),
        "caller": format_ip(view.caller),
        "hostname": view.hostname,
        "state": view.condition.word,
        "reason": view.reason,
        "since": view.since or None,
        "succ": view.succ,
        "err": view.err,
        "period": view.period or None,
        "latency": view.latency,
        "last_report": view.last_report,
    }


def duration(seconds: float) -> str:
    """A time for people: "3 d", "5 h", "12 min" or "40 s"."""
    whole = max(0, int(seconds))
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if whole >= 2 * size:
            return f"{whole // size} {unit}"
    return f"{whole} s"
