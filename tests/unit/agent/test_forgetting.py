"""Modules that lars-dns says are empty are few and short-lived; the others stay for their time."""

import random

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.directory import Directory
from lars.agent.forgetting import AT_ONCE, EMPTY_TTL, MAX_EMPTY, unused_modules
from lars.agent.module import Module
from lars.balancing.classic import Classic, ClassicSettings
from lars.route import HostAddress, ModuleId, parse_host

HOST = parse_host("10.0.0.1:80")
TTL = 3600.0


def module(number: int, used_at: float, hosts: list[HostAddress] | None = None) -> Module:
    """A module with the route that lars-dns has answered with, if it has."""
    one = Module(ModuleId(1, number), Classic(ClassicSettings(), random.Random(1)), used_at)
    if hosts is not None:
        one.take_route(hosts, 600.0, True, used_at)
    return one


class UnusedTests(SynchronousTestCase):
    def test_empty_module_goes_soon_and_others_stay_for_the_ttl(self) -> None:
        empty, routed, unanswered = module(1, 0.0, []), module(2, 0.0, [HOST]), module(3, 0.0)
        modules = [empty, routed, unanswered]
        self.assertEqual(unused_modules(modules, EMPTY_TTL - 0.1, TTL), [])
        self.assertEqual(unused_modules(modules, EMPTY_TTL, TTL), [empty])
        self.assertEqual(unused_modules(modules, TTL, TTL), [routed, unanswered, empty])

    def test_beyond_their_number_empty_modules_go_by_last_use(self) -> None:
        newest, oldest, middle = module(1, 3.0, []), module(2, 1.0, []), module(3, 2.0, [])
        modules = [module(9, 0.0, [HOST]), newest, oldest, middle]
        self.assertEqual(unused_modules(modules, 4.0, TTL, max_empty=1), [oldest, middle])
        self.assertEqual(unused_modules(modules, 4.0, TTL, max_empty=1, at_once=1), [oldest])
        self.assertEqual(unused_modules(modules, 4.0, TTL, max_empty=3), [])

    def test_calls_that_are_not_reported_yet_are_kept(self) -> None:
        empty = module(1, 0.0, [])
        empty.report(HOST, True, 0.0, 0.0)
        self.assertEqual(unused_modules([empty], TTL, TTL, max_empty=0), [])
        empty.take_results(0.0)
        self.assertEqual(unused_modules([empty], TTL, TTL, max_empty=0), [empty])

    def test_emptied_route_counts_as_empty_and_a_new_one_does_not(self) -> None:
        one = module(1, 0.0, [HOST])
        one.take_route([], 600.0, True, 0.0)
        self.assertTrue(one.is_empty)
        one.take_route([HOST], 600.0, True, 0.0)
        self.assertFalse(one.is_empty)


class RandomModulesTests(SynchronousTestCase):
    def test_shard_full_of_random_modules_takes_a_new_one_a_second_after_they_are_answered(self) -> None:
        asked: list[ModuleId] = []
        full = MAX_EMPTY + AT_ONCE
        directory = Directory(
            lambda _module: Classic(ClassicSettings(), random.Random(1)), asked.append, max_modules=full
        )
        for number in range(full):
            directory.find(2, number, 0.0)
        self.assertIsNone(directory.find(1, 1, 0.0))
        for key in asked:
            directory.take_route(key, [], 600.0, True, 0.5)
        directory.forget_unused(1.0, TTL)
        self.assertIsNotNone(directory.find(1, 1, 1.0))
        self.assertEqual(len(directory.modules), MAX_EMPTY + 1)
