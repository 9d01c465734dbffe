"""Numbers and times as the console writes them."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone(name: str) -> tzinfo:
    """A time zone by its IANA name, as a browser sends it; UTC if there is none of that name."""
    try:
        return ZoneInfo(name) if name and len(name) < 64 and not name.startswith(("/", ".")) else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def whole(number: float) -> str:
    """12345 -> "12,345"."""
    return f"{number:,.0f}"


def rate(number: float) -> str:
    """Calls a second, with as many digits as are of use: "0.25", "3.1", "1,240"."""
    if number and number < 1:
        return f"{number:.2f}"
    return f"{number:.1f}" if number and number < 100 else f"{number:,.0f}"


def percent(part: float, of: float) -> str:
    """ "12.5%"; nothing of nothing is a dash."""
    if not of:
        return "-"
    share = 100 * part / of
    return f"{share:.2f}%" if 0 < share < 1 else f"{share:.1f}%" if share < 99.95 else "100%"


def moment(at: float, where: tzinfo) -> str:
    """Unix seconds -> "2026-11-22 20:10:01"."""
    return datetime.fromtimestamp(at, where).strftime("%Y-%m-%d %H:%M:%S")


def until(at: float, now: float, where: tzinfo) -> str:
    """A moment to come, without seconds: "14:00" if it is today, otherwise "2026-11-22 14:00"."""
    text = moment(at, where)[:-3]
    today, time = moment(now, where)[:10], text[11:]
    return time if text.startswith(today) else text


def remaining(until: float, now: float) -> str:
    """The time to a moment to come as the form of a drain reads it: "1d 2h 5m", rounded up; empty if it has passed."""
    minutes = -(-int(until - now) // 60)
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "m"))
    return " ".join(f"{count}{unit}" for count, unit in parts if count) if minutes > 0 else ""


def iso(at: float) -> str:
    """Unix seconds -> "2026-11-22T20:10:01Z" (RFC 3339)."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def age(then: float, now: float) -> tuple[int, str]:
    """How long ago that was, as a number and its unit: "s", "min", "h" or "d"; clocks of others may run ahead."""
    passed = max(0, int(now) - int(then))
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if passed >= 2 * length:
            return passed // length, unit
    return passed, "s"
