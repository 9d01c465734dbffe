"""What an agent knows of a host and would do with it, as tables and --json have it. Pure."""

from lars.balancing.host import HostExplanation

COLUMNS = ("SHARE", "FAILED", "IN A ROW", "IN FLIGHT", "LATENCY", "NEXT PROBE")


def explained_cells(host: HostExplanation | None) -> tuple[object, ...]:
    """The cells below COLUMNS; - for what is not known."""
    if host is None:
        return ("-",) * len(COLUMNS)
    return (
        f"{host.share:.1%}",
        f"{host.failures:.0f} of {host.calls:.0f}",
        host.failures_in_a_row,
        "-" if host.in_flight is None else host.in_flight,
        "-" if host.latency is None else f"{host.latency * 1000:.1f} ms",
        "-" if host.next_probe is None else f"{host.next_probe:.1f} s",
    )


def explained_json(host: HostExplanation) -> dict[str, object]:
    """The same for --json; times are in seconds."""
    return {
        "share": round(host.share, 4),
        "calls": round(host.calls, 1),
        "failures": round(host.failures, 1),
        "failures_in_a_row": host.failures_in_a_row,
        "in_flight": host.in_flight,
        "latency": _rounded(host.latency, 6),
        "next_probe": _rounded(host.next_probe, 1),
        "why": host.why,
        "reason": host.reason,
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
