"""Policies that know nothing of how calls went."""

import random

from twisted.trial.unittest import SynchronousTestCase

from bench.balance.policies.simple import PlainRoundRobin, Random


class SimpleTests(SynchronousTestCase):
    def test_round_robin_takes_turns_from_a_random_start(self) -> None:
        starts = set()
        for seed in range(20):
            policy = PlainRoundRobin([0, 1, 2], random.Random(seed), 0.0)
            turns = [policy.choose(0, 0.0) for _ in range(6)]
            self.assertEqual(turns[:3], turns[3:])
            self.assertEqual(set(turns), {0, 1, 2})
            starts.add(turns[0])
        self.assertEqual(starts, {0, 1, 2})

    def test_random_draws_every_host_also_one_that_joined(self) -> None:
        policy = Random([0, 1], random.Random(1), 0.0)
        policy.update([0, 1, 2], 1.0)
        self.assertEqual({policy.choose(0, 1.0) for _ in range(100)}, {0, 1, 2})
