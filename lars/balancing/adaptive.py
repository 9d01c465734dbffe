"""Adaptive: in turn, but against one other host drawn at random; whichever would cost less takes the call.

Power of two choices (Mitzenmacher 2001; Finagle's P2CPick.scala) keeps busy and slow hosts from getting more; taking
turns instead of a second draw makes it plain round robin where all hosts are equal.
"""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from lars.balancing.host import H
from lars.balancing.picker import Picker
from lars.balancing.record import Record
from lars.balancing.smooth import SmoothTurns


class Adaptive(Picker[H]):
    """The host whose turn it is, or another one drawn at random that costs less."""

    __slots__ = ("_hosts", "_others", "_rng", "_turns")

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._turns: SmoothTurns[H] = SmoothTurns(rng)
        self._hosts: Sequence[Record[H]] = ()
        self._others = 0

    def rebuild(self, eligible: Sequence[Record[H]]) -> None:
        self._turns.rebuild(eligible)
        self._hosts = eligible
        self._others = len(eligible) - 1

    def pick(self, key: int) -> Record[H]:
        """The key makes no difference."""
        at = self._turns.next()
        first = self._hosts[at]
        if not self._others:
            return first
        other = int(self._rng.random() * self._others)
        second = self._hosts[other + (other >= at)]
        # Both sides of load(), written out: this is the hot path.
        if ((first.in_flight + first.pain) * first.scale + 1) * first.penalty > (
            (second.in_flight + second.pain) * second.scale + 1
        ) * second.penalty:
            return second
        return first

    def shares(self, eligible: Sequence[Record[H]]) -> list[float]:
        """A host keeps its turns against those that cost as much or more, and takes those of what costs more."""
        by_weight = super().shares(eligible)
        others = len(eligible) - 1
        if not others:
            return by_weight
        mean = sum(record.weight for record in eligible) / len(eligible)
        costs = [((each.in_flight + each.pain) * mean / each.weight + 1) * each.penalty for each in eligible]
        ranked = sorted(zip(costs, by_weight, strict=True))
        in_order = [cost for cost, _turns in ranked]
        turns_below = [0.0, *accumulate(turns for _cost, turns in ranked)]
        found = []
        for cost, turns in zip(costs, by_weight, strict=True):
            keeps = others - bisect_left(in_order, cost)
            taken = turns_below[-1] - turns_below[bisect_right(in_order, cost)]
            found.append((turns * keeps + taken) / others)
        return found
