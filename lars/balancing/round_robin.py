"""Round robin: the eligible hosts in turn, by weight."""

import random
from collections.abc import Sequence

from lars.balancing.host import H
from lars.balancing.picker import Picker
from lars.balancing.record import Record
from lars.balancing.smooth import SmoothTurns


class RoundRobin(Picker[H]):
    """Smooth weighted turns, whatever the load of a host."""

    __slots__ = ("_hosts", "_turns")

    def __init__(self, rng: random.Random) -> None:
        self._turns: SmoothTurns[H] = SmoothTurns(rng)
        self._hosts: Sequence[Record[H]] = ()

    def rebuild(self, eligible: Sequence[Record[H]]) -> None:
        self._turns.rebuild(eligible)
        self._hosts = eligible

    def pick(self, key: int) -> Record[H]:
        """The key makes no difference."""
        return self._hosts[self._turns.next()]
