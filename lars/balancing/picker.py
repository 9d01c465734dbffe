"""How a policy picks among the eligible hosts: the interface, and load as power of two choices sees it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic

from lars.balancing.host import H
from lars.balancing.record import Record


class Picker(ABC, Generic[H]):
    """Picks one of the eligible hosts."""

    __slots__ = ()

    @abstractmethod
    def rebuild(self, eligible: Sequence[Record[H]]) -> None:
        """Replaces the hosts among which it picks; there is at least one, and each has a weight above 0."""

    @abstractmethod
    def pick(self, key: int) -> Record[H]:
        """The host for the next call."""

    def shares(self, eligible: Sequence[Record[H]]) -> list[float]:
        """The share of the next call that each of the eligible hosts would get now; here by weight alone."""
        total = sum(record.weight for record in eligible)
        return [record.weight / total for record in eligible]


def load(record: Record[H]) -> float:
    """What one more call would cost at a host: 1 and the calls there, by weight, times its slowness.

    The 1 is not scaled, so that idle hosts cost the same and get their shares by the turns.
    """
    return ((record.in_flight + record.pain) * record.scale + 1) * record.penalty
