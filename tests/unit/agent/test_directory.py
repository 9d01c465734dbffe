"""The directory: which modules it knows, when it asks lars-dns for them, and what it counts."""

import random
from collections import Counter
from collections.abc import Iterable

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.directory import Directory, sliced
from lars.agent.module import Module, RoutedHost
from lars.balancing.classic import Classic, ClassicSettings
from lars.balancing.gathered import Gathered
from lars.balancing.host import HostState
from lars.balancing.policies import NAMES, new_policy
from lars.route import HostAddress, ModuleId, parse_host
from tests.unit.balancing.draws import FirstHost

M = ModuleId(1, 1)
A, B = parse_host("192.168.1.177:7777"), parse_host("192.168.17.129:7001")


class Listener:
    """Remembers what it is called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []

    def module_added(self, module: Module) -> None:
        self.calls.append(("added", module.id))

    def module_removed(self, module: Module) -> None:
        self.calls.append(("removed", module.id))

    def hosts_removed(self, hosts: Iterable[RoutedHost]) -> None:
        self.calls.append(("hosts", [host.address for host in hosts]))


class DirectoryTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.asked: list[ModuleId] = []
        self.directory = Directory(lambda _module: Classic(ClassicSettings(), FirstHost()), self.asked.append)
        self.counters = self.directory.counters

    def module(self, *hosts: str) -> Module:
        """Module M with a route."""
        found = self.directory.find(*M, 0.0)
        assert found is not None
        self.directory.take_route(M, map(parse_host, hosts), 600.0, True, 0.0)
        return found


class FindTests(DirectoryTestCase):
    def test_unknown_module_is_asked_for_once(self) -> None:
        first = self.directory.find(1, 1, 0.0)
        self.assertIs(self.directory.find(1, 1, 1.0), first)
        self.assertEqual(self.asked, [M])

    def test_module_that_cannot_exist_is_neither_asked_for_nor_remembered(self) -> None:
        for modid, cmdid in ((0, 0), (-1, 1), (1, -1), (2**31, 1)):
            self.assertIsNone(self.directory.find(modid, cmdid, 0.0))
        self.assertEqual((self.asked, dict(self.directory.modules)), ([], {}))

    def test_number_of_modules_is_bounded(self) -> None:
        directory = Directory(lambda _module: Classic(ClassicSettings(), FirstHost()), self.asked.append, max_modules=2)
        found = [directory.find(1, cmdid, 0.0) for cmdid in (1, 2, 3)]
        self.assertEqual([module is None for module in found], [False, False, True])
        self.assertIsNotNone(directory.find(1, 2, 0.0))


class PickTests(DirectoryTestCase):
    def test_picks_are_counted_by_what_they_gave(self) -> None:
        module = self.module()
        self.assertIsNone(self.directory.pick(None, 0, 0.0))
        self.assertIsNone(self.directory.pick(module, 0, 0.0))
        module = self.module(str(A))
        host = self.directory.pick(module, 0, 0.0)
        assert host is not None
        self.assertEqual(host.address, A)
        for _ in range(15):
            self.directory.report(module, A, True, 0.0, 0.0)
        self.assertIsNone(self.directory.pick(module, 0, 0.0))
        self.assertEqual((self.counters.noexist, self.counters.succ, self.counters.overload), (2, 1, 1))

    def test_reports_of_hosts_outside_the_route_are_counted_apart(self) -> None:
        module = self.module(str(A))
        self.assertIsNotNone(self.directory.report(module, A, False, 0.0, 0.0))
        self.assertIsNone(self.directory.report(module, B, False, 0.0, 0.0))
        self.directory.report_gathered(module, B, Gathered(5), 0.0)
        self.assertEqual((self.counters.reports, self.counters.unrouted), (7, 6))

    def test_route_and_state_of_no_module_are_empty(self) -> None:
        self.assertEqual(list(self.directory.route(None)), [])
        self.assertIsNone(self.directory.route_state(None))
        self.assertEqual((self.counters.routes, self.counters.states), (1, 1))


class RouteTests(DirectoryTestCase):
    def test_route_of_a_module_that_nobody_asked_for_is_ignored(self) -> None:
        self.assertFalse(self.directory.take_route(M, [A], 600.0, True, 0.0))
        self.assertEqual(dict(self.directory.modules), {})

    def test_saved_route_is_answered_from_and_due_at_once(self) -> None:
        self.directory.restore(M, [A, B], 0.0)
        self.assertEqual(list(self.directory.route(self.directory.find(*M, 0.0))), [A, B])
        self.assertEqual(self.asked, [])
        self.assertEqual(self.directory.take_due(0.0, 15.0), [M])

    def test_saved_route_does_not_replace_a_known_one(self) -> None:
        self.module(str(A))
        self.directory.restore(M, [B], 0.0)
        self.assertEqual(list(self.directory.modules[M].hosts), [A])

    def test_subscription_is_that_of_the_last_route(self) -> None:
        module = self.module(str(A))
        self.assertTrue(module.subscribed)
        self.directory.take_route(M, [A], 600.0, False, 0.0)
        self.assertFalse(module.subscribed)

    def test_unanswered_module_is_due_after_the_timeout_and_then_counts_as_asked(self) -> None:
        self.directory.find(*M, 0.0)
        self.assertEqual(self.directory.take_due(14.9, 15.0), [])
        self.assertEqual(self.directory.take_due(15.0, 15.0), [M])
        self.assertEqual(self.directory.take_due(29.9, 15.0), [])
        self.assertEqual(self.directory.take_due(30.0, 15.0), [M])

    def test_route_is_due_when_it_is_no_longer_fresh(self) -> None:
        self.module(str(A))
        self.assertEqual(self.directory.take_due(599.9, 15.0), [])
        self.assertEqual(self.directory.take_due(600.0, 15.0), [M])


class SlicedTests(SynchronousTestCase):
    def sizes(self, *hosts: int) -> list[list[int]]:
        """The hosts of each module of each slice, of at most three modules and ten hosts."""
        modules = []
        for number in hosts:
            modules.append(Module(M, Classic(ClassicSettings(), FirstHost()), 0.0))
            modules[-1].take_route([HostAddress(1, 1 + n) for n in range(number)], 600.0, True, 0.0)
        slices = sliced(modules, 3, 10)
        self.assertEqual([module for each in slices for module in each], modules)
        return [[len(module.hosts) for module in each] for each in slices]

    def test_slice_ends_with_its_modules_or_with_its_hosts(self) -> None:
        self.assertEqual(self.sizes(), [])
        self.assertEqual(self.sizes(1, 1, 1, 1), [[1, 1, 1], [1]])
        self.assertEqual(self.sizes(6, 4, 1, 0, 9), [[6, 4], [1, 0, 9]])
        self.assertEqual(self.sizes(6, 5), [[6], [5]])

    def test_module_of_many_hosts_has_a_slice_of_its_own(self) -> None:
        self.assertEqual(self.sizes(1, 4000, 1, 4000), [[1], [4000], [1], [4000]])


class SpreadTests(SynchronousTestCase):
    """The first calls of the agents of a fleet."""

    hosts = tuple(HostAddress(0x0A000001 + n, 80) for n in range(5))

    def fleet(self, policy: str) -> list[Directory]:
        """Ten agents, each with draws of its own, as processes have them."""
        rngs = [random.Random(seed) for seed in range(10)]
        return [Directory(lambda _module, rng=rng: new_policy(policy, rng), lambda _module: None) for rng in rngs]  # type: ignore[misc]

    def calls(self, directory: Directory, times: int) -> list[HostAddress]:
        module = directory.find(*M, 0.0)
        directory.take_route(M, self.hosts, 600.0, True, 0.0)
        picked = [directory.pick(module, 0, 0.0) for _ in range(times)]
        return [host.address for host in picked if host is not None]

    def test_first_calls_of_ten_agents_go_to_different_hosts(self) -> None:
        for policy in NAMES:
            firsts = Counter(self.calls(directory, 1)[0] for directory in self.fleet(policy))
            self.assertGreaterEqual(len(firsts), 3, policy)
            self.assertLessEqual(max(firsts.values()), 5, policy)

    def test_first_calls_after_a_module_was_forgotten_do_so_again(self) -> None:
        for policy in NAMES:
            directory = self.fleet(policy)[0]
            firsts = Counter[HostAddress]()
            for _ in range(40):
                firsts[self.calls(directory, 1)[0]] += 1
                directory.modules[M].take_results(0.0)
                self.assertEqual(len(directory.forget_unused(3600.0, 3600.0)), 1)
            self.assertEqual(set(firsts), set(self.hosts), policy)
            self.assertLessEqual(max(firsts.values()), 16, policy)


class SweepTests(DirectoryTestCase):
    def test_changes_are_returned_once_and_counted(self) -> None:
        module = self.module(str(A), str(B))
        for _ in range(15):
            self.directory.report(module, A, True, 0.0, 0.0)
        ((key, change),) = self.directory.sweep([module], 0.0)
        self.assertEqual((key, change.host.address, change.state), (M, A, HostState.EJECTED))
        self.assertEqual(self.directory.sweep([module], 1.0), [])
        ((_key, change),) = self.directory.sweep([module], 15.0)
        self.assertEqual((change.state, change.reason), (HostState.HEALTHY, "timeout"))
        self.assertEqual((self.counters.ejections, self.counters.restorations), ({"errors": 1}, {"timeout": 1}))

    def test_unused_module_is_forgotten_but_not_with_unreported_calls(self) -> None:
        module = self.module(str(A))
        for n in range(1001):
            self.directory.report(module, HostAddress(n + 1, 80), False, 0.0, 0.0)
        self.assertEqual(self.directory.forget_unused(3600.0, 3600.0), [])
        module.take_results(0.0)
        self.assertEqual(self.directory.dropped, 1)
        self.assertEqual(self.directory.forget_unused(3599.9, 3600.0), [])
        self.assertEqual(self.directory.forget_unused(3600.0, 3600.0), [module])
        self.assertEqual((dict(self.directory.modules), self.directory.dropped), ({}, 1))

    def test_listeners_hear_of_modules_and_of_hosts_that_leave(self) -> None:
        listener = Listener()
        self.directory.add_listener(listener)
        module = self.module(str(A), str(B))
        self.directory.take_route(M, [B], 600.0, True, 0.0)
        module.take_results(0.0)
        self.directory.forget_unused(3600.0, 3600.0)
        expected = [("added", M), ("hosts", []), ("hosts", [A]), ("removed", M), ("hosts", [B])]
        self.assertEqual(listener.calls, expected)
