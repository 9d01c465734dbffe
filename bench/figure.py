"""A figure: what was measured, against which bar, on what machine; as JSON and as a line for a person."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bench.machine import load_average
from bench.percentile import percentile


@dataclass(frozen=True, slots=True)
class Measure:
    """One number. A bar is the most that it may be, or with `at_least` the least."""

    name: str
    value: float
    unit: str
    bar: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the bar is met, None where there is none."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    def __str__(self) -> str:
        text = f"{self.name} {self._rounded} {self.unit}"
        if self.bar is None:
            return text
        sign = "≥" if self.at_least else "≤"
        return f"{text} (bar {sign} {self.bar:,g}: {'met' if self.met else 'MISSED'})"

    @property
    def _rounded(self) -> str:
        return f"{self.value:,.0f}" if self.value >= 1000 else f"{self.value:.4g}"

    def as_json(self) -> dict[str, object]:
        """One entry of the printed document's `measures`."""
        document: dict[str, object] = {"name": self.name, "value": float(f"{self.value:.6g}"), "unit": self.unit}
        if self.bar is not None:
            document |= {"bar": f"{'>=' if self.at_least else '<='} {self.bar:g}", "met": self.met}
        return document


@dataclass(slots=True)
class Figure:
    """What one benchmark finds on one engine. Each measure is printed to stderr as soon as it is known."""

    name: str
    engine: str
    load_before: list[float] = field(default_factory=load_average)
    measures: list[Measure] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)
    error: str = ""

    def measure(
        self, name: str, value: float, unit: str, *, at_most: float | None = None, at_least: float | None = None
    ) -> None:
        """Adds one number, with its bar if it has one."""
        bar = at_least if at_least is not None else at_most
        self._add(name, [Measure("", value, unit, bar, at_least is not None)])

    def spread(
        self, name: str, samples: Sequence[float], unit: str, shares: Sequence[float], bars: dict[float, float]
    ) -> None:
        """Adds percentiles of samples; a share of 1 is their maximum. `bars` holds the most that some may be."""
        names = ["max" if share == 1 else f"p{share * 100:g}" for share in shares]
        values = [Measure(n, percentile(samples, s), unit, bars.get(s)) for n, s in zip(names, shares, strict=True)]
        self._add(name, values)

    def _add(self, name: str, measures: Sequence[Measure]) -> None:
        self.measures += [replace(measure, name=f"{name} {measure.name}".rstrip()) for measure in measures]
        self._print(f"{name}: {', '.join(str(measure).lstrip() for measure in measures)}")

    def fail(self, reason: str) -> None:
        """Records why the figure, or the rest of it, cannot be measured."""
        self.error = reason
        self._print(f"NOT MEASURED: {reason}")

    def _print(self, text: str) -> None:
        print(f"{self.name} {self.engine}".rstrip() + f": {text}", file=sys.stderr, flush=True)

    def as_json(self) -> dict[str, object]:
        """One entry of the printed document's `figures`."""
        document: dict[str, object] = {"figure": self.name, "engine": self.engine}
        document |= {"load_average_before": self.load_before}
        document |= {"measures": [measure.as_json() for measure in self.measures], "facts": self.facts}
        return document | ({"error": self.error} if self.error else {})
