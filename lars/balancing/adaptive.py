"""Adaptive: in turn, but against one other host drawn at random; whichever would cost less takes the call.

Power of two choices (Mitzenmacher 2001; Finagle's P2CPick.scala) keeps busy and slow hosts from getting more; taking
turns instead of a second draw makes it plain round robin where all hosts are equal.
"""

import random
from collections.abc import Sequence

from lars.balancing.host import H
from lars.balancing.picker import Picker
from lars.balancing.record import Record
from lars.balancing.smooth import SmoothTurns


class Adaptive(Picker[H]):
    """The host whose turn it is, or another one drawn at random that costs less."""

    __slots__ = ("_draw", "_hosts", "_others", "_turns")

    def __init__(self, rng: random.Random) -> None:
        self._draw = rng.random
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
        other = int(self._draw() * self._others)
        second = self._hosts[other + (other >= at)]
        # Both sides of load(), written out: this is the hot path.
        if ((first.in_flight + first.pain) * first.scale + 1) * first.penalty > (
            (second.in_flight + second.pain) * second.scale + 1
        ) * second.penalty:
            return second
        return first
