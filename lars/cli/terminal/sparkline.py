"""Sparklines: a row of numbers as a row of bars. Pure."""

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], top: float | None = None) -> str:
    """A bar for each value, relative to `top`, by default the largest; a blank for None."""
    top = top or max((value for value in values if value is not None), default=0)
    return "".join(" " if value is None else BARS[_height(value, top)] for value in values)


def _height(value: float, top: float) -> int:
    if value <= 0 or top <= 0:
        return 0
    return max(1, min(len(BARS) - 1, round(value / top * (len(BARS) - 1))))  # a small value differs from 0


def summed(values: Sequence[float | None], length: int) -> list[float | None]:
    """The values, neighbors summed so that at most `length` remain; a sum of Nones alone is None."""
    each = -(-len(values) // length)
    parts = [values[i : i + each] for i in range(0, len(values), each)]
    return [sum(v for v in part if v is not None) if any(v is not None for v in part) else None for part in parts]
