"""Successful calls to one host that a caller counted for a while, and reports together."""

from typing import NamedTuple


class Gathered(NamedTuple):
    """How many calls succeeded, and what they cost.

    Attributes:
        calls: their number.
        cost: the seconds that `timed` of them took, in all.
        timed: those whose duration is known.
    """

    calls: int
    cost: float = 0.0
    timed: int = 0
