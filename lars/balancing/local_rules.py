"""The rules of a policy in a caller's own process, with a short way where they have nothing to decide.

The short way takes turns and draws that were made in advance (docs/design/client.md, the short way).
"""

import math
import random
from collections.abc import Callable, Iterable
from itertools import cycle
from typing import Any

from lars.balancing.adaptive import Adaptive
from lars.balancing.consistent_hash import ConsistentHash
from lars.balancing.ejecting import EjectingPolicy, EjectingSettings
from lars.balancing.ejection import EjectionSettings
from lars.balancing.host import H
from lars.balancing.picker import Picker
from lars.balancing.record import Record
from lars.balancing.smooth import SmoothTurns

DRAWS = 1_024
"""Draws made in advance, at least."""


def no_host() -> Any:
    """Stands for a short way where there is none; never called."""
    raise AssertionError("there are no hosts")


_SETTINGS = EjectingSettings(ejection=EjectionSettings(remembered=0.0))
"""A host that the agent restores takes calls again, whatever this process knew of it before."""


class LocalRules(EjectingPolicy[H]):
    """An ejecting policy that can say for how long its rules have nothing to decide, and how to pick meanwhile."""

    __slots__ = ("_quick", "_quick_version")

    def __init__(self, picker: Picker[H], rng: random.Random) -> None:
        super().__init__(picker, rng, _SETTINGS)
        self._quick: Callable[[], H] = no_host
        self._quick_version = -1

    def adopt(self, host: H) -> bool:
        """Counts a call for which the agent chose the host, unless the host is ejected here or has just failed."""
        record: Record[H] = host.record
        if record.ejected or record.pain:
            return False
        record.in_flight += 1
        return True

    def failed_elsewhere(self, host: H, cost: float) -> None:
        """Takes the failure of another process's call, of `cost` seconds, 0 where unknown. It ejects nobody here."""
        record: Record[H] = host.record
        if record.weight and not record.ejected:
            self._ejection.failed_elsewhere(record, self._latency.is_slow(cost))

    @property
    def slow_from(self) -> float:
        """Seconds beyond which a call takes much longer than the module's calls usually do; inf while unknown."""
        return self._latency.slow_from

    def slow_elsewhere(self, host: H, penalty: float) -> None:
        """Takes the penalty of a host as all processes know it."""
        self._latency.learn_penalty(host.record, penalty)

    def busy(self) -> int:
        """Calls in flight."""
        return sum(record.in_flight for record in self._ejection.eligible)

    def calm_for(self) -> float:
        """Seconds, at least, in which each pick is the picker's, whatever succeeds; 0 if that is not so."""
        ejection = self._ejection
        if self._shedding.admitted < 1 or not ejection.eligible or isinstance(self._picker, ConsistentHash):
            return 0.0
        ramping_since = ejection.clock - self._ramp
        for record in ejection.eligible:
            if record.failures or record.pain or record.joined_at > ramping_since:
                return 0.0
        return ejection.quiet_for()

    def quick(self) -> Callable[[], H]:
        """Picks as the picker does, with turns and draws that were made in advance."""
        if self._quick_version != self._ejection.version:
            self._quick_version = self._ejection.version
            self._quick = self._drawn()
        return self._quick

    def _drawn(self) -> Callable[[], H]:
        eligible = self._ejection.eligible
        if self._ejection.version != self._rebuilt:
            self._rebuild_picker()
        turns: SmoothTurns[H] = SmoothTurns(self._rng)
        turns.rebuild(eligible)
        places = [turns.next() for _ in range(len(eligible) * max(2, math.ceil(DRAWS / len(eligible))))]
        others = len(eligible) - 1
        if not others or not isinstance(self._picker, Adaptive):
            return _in_turn([eligible[at] for at in places])
        pairs = []
        for at in places:
            other = int(self._rng.random() * others)
            pairs.append((eligible[at], eligible[other + (other >= at)]))
        return _cheaper_of_two(pairs)


def _in_turn(turns: Iterable[Record[H]]) -> Callable[[], H]:
    next_turn = cycle(turns).__next__

    def quick() -> H:
        record = next_turn()
        record.in_flight += 1
        return record.host

    return quick


def _cheaper_of_two(pairs: Iterable[tuple[Record[H], Record[H]]]) -> Callable[[], H]:
    """The rule of Adaptive.pick, for hosts without pain."""
    next_pair = cycle(pairs).__next__

    def quick() -> H:
        record, other = next_pair()
        if (record.in_flight * record.scale + 1) * record.penalty > (other.in_flight * other.scale + 1) * other.penalty:
            record = other
        record.in_flight += 1
        return record.host

    return quick
