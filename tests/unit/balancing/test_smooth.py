"""Smooth turns: shares by weight, at every moment."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.balancing.host import Host
from lars.balancing.record import Record
from lars.balancing.smooth import SmoothTurns
from lars.route import HostAddress


def turns_of(*weights: float, seed: int = 1) -> SmoothTurns[Host]:
    turns: SmoothTurns[Host] = SmoothTurns(random.Random(seed))
    records = [Record(Host(HostAddress(1, n + 1)), 0.0) for n in range(len(weights))]
    for record, weight in zip(records, weights, strict=True):
        record.weight = weight
    turns.rebuild(records)
    return turns


class SmoothTurnsTests(SynchronousTestCase):
    def test_equal_weights_are_plain_turns_from_a_random_start(self) -> None:
        starts = set()
        for seed in range(40):
            turns = turns_of(100, 100, 100, seed=seed)
            picks = [turns.next() for _ in range(6)]
            self.assertEqual(picks[:3], picks[3:])
            self.assertEqual(sorted(picks[:3]), [0, 1, 2])
            starts.add(picks[0])
        self.assertEqual(starts, {0, 1, 2})

    def test_shares_are_those_of_the_weights(self) -> None:
        turns = turns_of(200, 100, 100)
        self.assertEqual(Counter(turns.next() for _ in range(4000)), {0: 2000, 1: 1000, 2: 1000})

    @given(st.lists(st.integers(1, 1000), min_size=1, max_size=8), st.integers(0, 3))
    def test_no_host_is_ever_far_from_its_share(self, weights: list[int], seed: int) -> None:
        turns, seen = turns_of(*weights, seed=seed), Counter[int]()
        for number in range(1, 400):
            seen[turns.next()] += 1
            for at, weight in enumerate(weights):
                self.assertLess(abs(seen[at] - number * weight / sum(weights)), len(weights) + 1)
