"""The spans of time whose calls are shown: pure."""

from collections.abc import Mapping

SPANS: Mapping[str, tuple[int, int]] = {
    "1h": (3600, 60),
    "6h": (6 * 3600, 300),
    "24h": (24 * 3600, 1200),
    "7d": (7 * 24 * 3600, 7200),
}
"""What can be looked at: seconds in all, and seconds of one bar."""


WINDOW = 300
"""Seconds of which error rates and shares are shown."""


def start_of(now: float, span: str) -> int:
    """Where a span that ends with the running period begins, in Unix seconds."""
    length, step = SPANS[span]
    return int(now) // step * step + step - length
