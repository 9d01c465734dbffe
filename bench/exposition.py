"""Reads a service's metrics in the Prometheus text form, and what happened between two readings."""

import re
from dataclasses import dataclass
from math import inf

from bench.processes.http import get

_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})?\s+(\S+)")
_LIMIT = re.compile(r'le="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Samples:
    """Every sample by its name with labels, as it is written."""

    values: dict[str, float]

    def named(self, prefix: str) -> dict[str, float]:
        """The samples whose name begins so, buckets left out."""
        return {name: value for name, value in self.values.items() if name.startswith(prefix) and "_bucket" not in name}

    def buckets(self, histogram: str) -> list[tuple[float, float]]:
        """(upper limit, count up to it) of a histogram without other labels, ascending; empty if there is none."""
        found = []
        for name, value in self.values.items():
            if name.startswith(f"{histogram}_bucket{{") and (limit := _LIMIT.search(name)):
                found.append((float(limit[1]), value))
        return sorted(found)


def scrape(port: int) -> Samples:
    """The samples of a service's /metrics on a port of 127.0.0.1."""
    return parsed(get(port, "/metrics")[1])


def parsed(text: str) -> Samples:
    """The samples of a page in the text form."""
    found = (_SAMPLE.match(line) for line in text.splitlines() if not line.startswith("#"))
    return Samples({f"{m[1]}{{{m[2]}}}" if m[2] else m[1]: float(m[3]) for m in found if m})


def histogram_percentile(histogram: str, before: Samples, after: Samples, share: float) -> float | None:
    """The upper limit of the bucket that holds a percentile of what was observed between two readings.

    None if nothing was, or there is no such histogram; infinity if it lies above all limits.
    """
    old = dict(before.buckets(histogram))
    counts = [(limit, count - old.get(limit, 0)) for limit, count in after.buckets(histogram)]
    if not counts or counts[-1][1] <= 0:
        return None
    return next((limit for limit, count in counts if count >= share * counts[-1][1]), inf)
