"""Sparklines: a row of numbers as a row of bars. Pure."""

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.:-=+*#"


def bars_for(encoding: str) -> str:
    """The characters for bars that a text in this encoding can have, from the lowest to the highest."""
    try:
        BARS.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII_BARS
    return BARS


def sparkline(values: Sequence[float | None], top: float | None = None, bars: str = BARS) -> str:
    """A bar for each value, relative to `top`, by default the largest; a blank for None."""
    top = top or max((value for value in values if value is not None), default=0)
    return "".join(" " if value is None else bars[_height(value, top, len(bars) - 1)] for value in values)


def _height(value: float, top: float, highest: int) -> int:
    if value <= 0 or top <= 0:
        return 0
    return max(1, min(highest, round(value / top * highest)))  # a small value differs from 0


def summed(values: Sequence[float | None], length: int) -> list[float | None]:
    """The values, neighbors summed so that at most `length` remain; a sum of Nones alone is None."""
    each = -(-len(values) // length)
    parts = [values[i : i + each] for i in range(0, len(values), each)]
    return [sum(v for v in part if v is not None) if any(v is not None for v in part) else None for part in parts]
