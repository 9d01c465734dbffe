"""A row of bars for a row of numbers. Pure."""

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], top: float | None = None) -> str:
    """A bar for each value, as high as its share of the largest, or of `top`; a blank where there is none."""
    top = top or max((value for value in values if value is not None), default=0)
    return "".join(" " if value is None else BARS[_height(value, top)] for value in values)


def _height(value: float, top: float) -> int:
    if value <= 0 or top <= 0:
        return 0
    return max(1, min(len(BARS) - 1, round(value / top * (len(BARS) - 1))))  # a little is more than nothing


def gathered(values: Sequence[float | None], most: int) -> list[float | None]:
    """The values, sums of as many neighbours as it takes to have at most so many; None of Nones alone."""
    each = -(-len(values) // most)
    parts = [values[i : i + each] for i in range(0, len(values), each)]
    return [sum(v for v in part if v is not None) if any(v is not None for v in part) else None for part in parts]
