"""The geometry of the charts: from sums of calls to points, bars and axes of an SVG; pure."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from lars.web.spans import SPANS, start_of

WIDTH, HEIGHT = 1120, 200
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 10, 24

GRID = 300
"""Seconds that divide the offset of every zone from UTC, also of those of UTC+x:45, and the time between two marks."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis: its place and its label."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One period of time: where its column is, how high its calls and failures are, and what they were."""

    at: int
    x: float
    width: float
    succ_y: float
    succ_height: float
    err_y: float
    err_height: float
    succ: int
    err: int
    when: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Calls a second over time, failures stacked on successes."""

    bars: tuple[Bar, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    step: int
    empty: bool


def nice_top(most: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is at least `most`; 1 for nothing."""
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= most - 1e-12)


def number_text(value: float) -> str:
    """A mark of the axis: "0.5", "20", "1.5k"."""
    if value >= 1_000_000:
        return f"{value / 1_000_000:g}M"
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def chart(calls: Mapping[int, tuple[int, int]], now: float, span: str, zone: tzinfo) -> Chart:
    """The chart of a span.

    Args:
        calls: period's begin in Unix seconds -> successes and failures.
        now: Unix seconds.
        span: one of SPANS.
        zone: the reader's, for the marks of the axis.
    """
    length, step = SPANS[span]
    start = start_of(now, span)
    count = length // step
    width = (WIDTH - LEFT - RIGHT) / count
    seconds = {at: max(1.0, min(step, now - at)) for at in range(start, start + length, step)}
    rates = {at: (calls.get(at, (0, 0))[0] / s, calls.get(at, (0, 0))[1] / s) for at, s in seconds.items()}
    top = nice_top(max((succ + err for succ, err in rates.values()), default=0))
    scale = (HEIGHT - TOP - BOTTOM) / top
    bars = []
    for n, (at, (succ, err)) in enumerate(rates.items()):
        floor = HEIGHT - BOTTOM
        counted = calls.get(at, (0, 0))
        bars.append(
            Bar(
                at,
                round(LEFT + n * width, 2),
                round(max(0.5, width - 1), 2),
                round(floor - succ * scale, 2),
                round(succ * scale, 2),
                round(floor - (succ + err) * scale, 2),
                round(err * scale, 2),
                *counted,
                datetime.fromtimestamp(at, zone).strftime("%m-%d %H:%M" if length > 86_400 else "%H:%M"),
            )
        )
    marks = (0, top / 2, top)
    y_ticks = tuple(Tick(round(HEIGHT - BOTTOM - mark * scale, 2), number_text(mark)) for mark in marks)
    return Chart(tuple(bars), _time_ticks(start, length, width / step, zone), y_ticks, step, not any(calls.values()))


def _time_ticks(start: int, length: int, scale: float, zone: tzinfo) -> tuple[Tick, ...]:
    """Marks at full hours or days of the reader's zone, some six of them."""
    every = {3600: 600, 21_600: 3600, 86_400: 14_400, 604_800: 86_400}[length]
    form = "%m-%d" if every == 86_400 else "%H:%M"
    ticks = []
    for at in range(start // GRID * GRID, start + length, GRID):
        local = datetime.fromtimestamp(at, zone)
        of_day = local.hour * 3600 + local.minute * 60
        x = LEFT + (at - start) * scale
        if at >= start and of_day % every == 0 and LEFT + 12 < x < WIDTH - 20:
            ticks.append(Tick(round(x, 2), local.strftime(form)))
    return tuple(ticks)


@dataclass(frozen=True, slots=True)
class Spark:
    """A small chart in a table: a line of calls, and marks where calls failed."""

    line: str
    failed: tuple[float, ...]


SPARK_WIDTH, SPARK_HEIGHT = 120, 24


def spark(calls: Mapping[int, tuple[int, int]], now: float, span: str) -> Spark:
    """One host's calls over a span: points of an SVG polyline, and the x of each period with failures."""
    length, step = SPANS[span]
    start = start_of(now, span)
    sums = [calls.get(at, (0, 0)) for at in range(start, start + length, step)]
    most = max((succ + err for succ, err in sums), default=0) or 1
    across = SPARK_WIDTH / max(1, len(sums) - 1)
    heights = [(succ + err) / most * (SPARK_HEIGHT - 4) for succ, err in sums]
    points = [(n * across, SPARK_HEIGHT - 2 - height) for n, height in enumerate(heights)]
    return Spark(
        " ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        tuple(round(n * across, 1) for n, (_succ, err) in enumerate(sums) if err),
    )


def totals(sums: Iterable[tuple[int, int, int]]) -> dict[int, tuple[int, int]]:
    """(period, successes, failures) of several hosts -> sums by period."""
    found: dict[int, tuple[int, int]] = {}
    for at, succ, err in sums:
        before = found.get(at, (0, 0))
        found[at] = (before[0] + succ, before[1] + err)
    return found
