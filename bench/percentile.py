"""Percentiles of samples, by nearest rank: always a value that was measured."""

from collections.abc import Sequence
from math import ceil


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least `share` (0 to 1) of all samples do not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
