"""How much the failures of one source count among those of several."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.balancing.ejection import vote


class VoteTests(SynchronousTestCase):
    @given(st.lists(st.integers(1, 4), max_size=60))
    def test_without_its_lead_no_source_is_more_than_half(self, sources: list[int]) -> None:
        accuser, lead = 0, 0.0
        for source in sources:
            accuser, lead = vote(accuser, lead, source)
        if sources:
            most = max(Counter(sources).values())
            self.assertGreaterEqual(lead, 2 * most - len(sources))

    def test_one_that_is_believed_alone_counts_in_full(self) -> None:
        accuser, lead = 0, 0.0
        for _ in range(5):
            accuser, lead = vote(accuser, lead, 0)
        self.assertEqual(lead, 0)

    def test_what_decays_is_weighed_alike(self) -> None:
        rng = random.Random(1)
        weights = dict.fromkeys((1, 2, 3), 0.0)
        accuser, lead = 0, 0.0
        for _ in range(500):
            source = rng.choice([1, 1, 1, 2, 3])
            for each in weights:
                weights[each] *= 0.9
            weights[source] += 1
            accuser, lead = vote(accuser, lead * 0.9, source)
            total = sum(weights.values())
            self.assertGreaterEqual(lead + 1e-9, 2 * max(weights.values()) - total)
