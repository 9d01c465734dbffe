"""A module: its hosts keep their identity, and no call to them is lost for lars-reporter."""

import random
from collections import Counter
from heapq import heappop, heappush

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.module import LONGEST_TIMED, WHOLE_REPORT, Module, RoutedHost
from lars.balancing.classic import Classic, ClassicSettings
from lars.balancing.ejecting import EjectingPolicy
from lars.balancing.gathered import Gathered
from lars.balancing.host import HostState
from lars.balancing.policies import NAMES, new_policy
from lars.balancing.round_robin import RoundRobin
from lars.route import UNSTEERED, HostAddress, ModuleId, Steering, parse_host
from lars.wire.lars_pb2 import RouteStateResponse
from tests.unit.balancing.draws import FirstHost

A, B, C = (parse_host(f"10.0.0.{n}:80") for n in (1, 2, 3))


def module_of(*addresses: HostAddress) -> Module:
    module = Module(ModuleId(1, 1), Classic(ClassicSettings(), FirstHost()), 0.0)
    module.take_route(addresses, 600.0, True, 0.0)
    return module


def picks(module: Module, calls: int, now: float) -> set[HostAddress]:
    """The hosts of some successful calls, one a second."""
    found = set()
    for key in range(calls):
        host = module.pick(key, now + key)
        assert host is not None
        found.add(host.address)
        module.report(host.address, False, 0.001, now + key)
    return found


class RouteTests(SynchronousTestCase):
    def test_hosts_that_stay_are_the_same_objects_and_come_first(self) -> None:
        module = module_of(A, B)
        before = module.hosts[B]
        gone = module.take_route([C, B], 600.0, True, 1.0)
        self.assertEqual([host.address for host in gone], [A])
        self.assertEqual(list(module.hosts), [B, C])
        self.assertIs(module.hosts[B], before)

    def test_route_from_dns_answers_what_was_asked(self) -> None:
        module = Module(ModuleId(1, 1), Classic(ClassicSettings(), FirstHost()), 0.0)
        module.asked(1.0)
        self.assertEqual((module.asked_at, module.routed_at), (1.0, None))
        module.take_route([A], 600.0, False, 2.0)
        self.assertEqual((module.asked_at, module.routed_at, module.fresh_until), (None, 2.0, 600.0))

    def test_saved_route_leaves_what_was_asked_open(self) -> None:
        module = Module(ModuleId(1, 1), Classic(ClassicSettings(), FirstHost()), 0.0)
        module.asked(1.0)
        module.restore([A], 2.0)
        self.assertEqual((module.asked_at, module.routed_at, list(module.hosts)), (1.0, None, [A]))

    def test_hosts_get_the_weights_and_zones_of_the_route_and_lose_them_with_it(self) -> None:
        module = module_of(A, B)
        steering = Steering({A: 50}, {B: "eu-1"}, '{"panic":false}')
        module.take_route([A, B], 600.0, True, 1.0, steering)
        self.assertEqual([(host.weight, host.zone) for host in module.hosts.values()], [(50, ""), (100, "eu-1")])
        self.assertEqual(module.steering, steering)
        module.take_route([A, B], 600.0, True, 2.0)
        self.assertIs(module.steering, UNSTEERED)

    def test_drained_host_gets_no_call_while_others_have_weight_and_its_calls_count(self) -> None:
        for name in NAMES:
            module = Module(ModuleId(1, 1), new_policy(name, random.Random(1)), 0.0)
            module.take_route([A, B], 600.0, True, 0.0)
            module.pick(0, 0.0)
            module.take_route([A, B], 600.0, True, 1.0, Steering({A: 0}))
            self.assertEqual(picks(module, 50, 1.0), {B}, name)
            for failed in (True, False, True):
                module.report(A, failed, 0.0, 1.0)
            module.sweep(20.0)
            self.assertEqual((module.hosts[A].succ, module.hosts[A].err), (1, 2))
            self.assertEqual(picks(module, 50, 21.0), {B}, name)
            module.take_route([A, B], 600.0, True, 2.0, Steering({A: 0, B: 0}))
            self.assertEqual(picks(module, 200, 30.0), {A, B}, f"{name}: where none has weight, all take calls")

    def test_route_state_has_the_weights(self) -> None:
        module = module_of(A, B)
        module.take_route([A, B], 600.0, True, 1.0, Steering({A: 0, B: 50}))
        self.assertEqual(list(RouteStateResponse.FromString(module.route_state().full).idle_weight), [0, 50])

    def test_route_state_is_made_anew_only_after_a_change(self) -> None:
        module = module_of(A, B)
        first = module.route_state()
        module.report(A, False, 0.0, 0.0)
        self.assertIs(module.route_state(), first)
        module.take_route([A], 600.0, True, 1.0)
        self.assertNotEqual(module.route_state().version, first.version)


class ResultTests(SynchronousTestCase):
    def test_nothing_happened_gives_none_once_the_states_are_reported(self) -> None:
        module = module_of(A)
        self.assertEqual(module.take_results(0.0), {A: (0, 0, False)})
        self.assertIsNone(module.take_results(0.0))

    def test_calls_are_taken_once(self) -> None:
        module = module_of(A, B)
        module.report(A, False, 0.0, 0.0)
        module.report(A, True, 0.0, 0.0)
        module.report_success(module.hosts[B], 0.0)
        module.report_gathered(B, Gathered(4), 0.0)
        self.assertTrue(module.has_calls)
        self.assertEqual(module.take_results(0.0), {A: (1, 1, False), B: (5, 0, False)})
        self.assertFalse(module.has_calls)

    def test_calls_of_a_host_that_left_are_still_taken_also_if_it_is_back(self) -> None:
        module = module_of(A, B)
        module.report(A, False, 0.0, 0.0)
        module.take_route([B], 600.0, True, 1.0)
        self.assertTrue(module.has_calls)
        module.take_route([A, B], 600.0, True, 2.0)
        module.report(A, True, 0.0, 2.0)
        self.assertEqual(module.take_results(0.0), {A: (1, 1, False), B: (0, 0, False)})

    def test_change_of_state_alone_is_a_result(self) -> None:
        module = module_of(A)
        for _ in range(15):
            module.report(A, True, 0.0, 0.0)
        self.assertEqual(module.states(), {A: HostState.EJECTED})
        self.assertEqual(module.take_results(0.0), {A: (0, 15, True)})
        module.sweep(15.0)
        self.assertEqual(module.ejected, 0)
        self.assertEqual(module.take_results(0.0), {A: (0, 0, False)})

    def test_hosts_outside_the_route_are_kept_apart(self) -> None:
        module = module_of(A)
        self.assertIsNone(module.report(B, False, 0.0, 0.0))
        self.assertFalse(module.report_gathered(C, Gathered(3), 0.0))
        self.assertEqual(module.take_results(0.0, with_unrouted=False), {A: (0, 0, False)})
        self.assertEqual(module.take_results(0.0), {B: (1, 0, False), C: (3, 0, False)})

    def test_healthy_hosts_without_calls_are_left_out_for_a_minute(self) -> None:
        module = module_of(A, B)
        self.assertEqual(module.take_results(0.0), {A: (0, 0, False), B: (0, 0, False)})
        module.report(A, False, 0.0, 5.0)
        self.assertEqual(module.take_results(5.0), {A: (1, 0, False)})
        module.report(B, False, 0.0, WHOLE_REPORT - 1)
        self.assertEqual(module.take_results(WHOLE_REPORT - 1), {B: (1, 0, False)})
        module.report(A, False, 0.0, WHOLE_REPORT)
        self.assertEqual(module.take_results(WHOLE_REPORT), {A: (1, 0, False), B: (0, 0, False)})

    def test_ejected_host_is_in_every_report(self) -> None:
        module = module_of(A, B)
        for _ in range(15):
            module.report(A, True, 0.0, 0.0)
        self.assertEqual(module.take_results(0.0), {A: (0, 15, True), B: (0, 0, False)})
        module.report(B, False, 0.0, 5.0)
        self.assertEqual(module.take_results(5.0), {A: (0, 0, True), B: (1, 0, False)})

    def test_changed_route_is_reported_whole(self) -> None:
        module = module_of(A, B)
        module.take_results(0.0)
        module.take_route([A, B, C], 600.0, True, 1.0)
        self.assertEqual(module.take_results(1.0), dict.fromkeys([A, B, C], (0, 0, False)))


class Costs(EjectingPolicy[RoutedHost]):
    """Remembers the cost of each report."""

    __slots__ = ("costs",)

    def __init__(self) -> None:
        super().__init__(RoundRobin(FirstHost()), FirstHost())
        self.costs: list[float] = []

    def report(self, host: RoutedHost, failed: bool, cost: float, now: float, source: int = 0) -> None:
        self.costs.append(cost)
        super().report(host, failed, cost, now, source)


class TimingTests(SynchronousTestCase):
    """Calls of clients that do not report what a call cost."""

    def setUp(self) -> None:
        self.policy = Costs()
        self.module = Module(ModuleId(1, 1), self.policy, 0.0)
        self.module.take_route([A], 600.0, True, 0.0)

    def ask(self, source: int, now: float) -> None:
        self.module.pick(0, now, source)

    def report(self, source: int, now: float, failed: bool = False, cost: float = 0.0) -> float:
        """The cost that the policy gets."""
        if self.module.reporter != source:
            self.module.heard(source, now)
        if failed or cost:
            self.module.report(A, failed, cost, now)
        else:
            self.module.report_success(self.module.hosts[A], now)
        return self.policy.costs[-1]

    def test_call_is_timed_from_the_question_to_the_report_of_one_process(self) -> None:
        self.ask(4001, 1.0)
        self.assertEqual(self.report(4001, 1.25), 0.25)
        self.ask(4001, 2.0)
        self.assertEqual(self.report(4001, 3.0, failed=True), 1.0)

    def test_report_of_another_process_or_of_a_call_that_was_not_asked_for_has_no_time(self) -> None:
        self.ask(4001, 1.0)
        self.assertEqual(self.report(4002, 1.25), 0.0)
        self.assertEqual(self.report(4001, 1.5), 0.5)
        self.assertEqual(self.report(4001, 1.75), 0.0)

    def test_reported_cost_goes_first_and_ends_the_timing(self) -> None:
        self.ask(4001, 1.0)
        self.assertEqual(self.report(4001, 1.25, cost=0.125), 0.125)
        self.assertEqual(self.report(4001, 1.5), 0.0)

    def test_slow_call_is_timed_to_its_end_however_many_others_there_are(self) -> None:
        self.ask(4001, 1.0)
        for n in range(50):
            self.ask(4002 + n % 7, 1.0 + n / 100)
            self.assertEqual(self.report(4002 + n % 7, 1.005 + n / 100), 0.0)
        self.assertEqual(self.report(4001, 3.0), 2.0)
        self.ask(4002, 4.0)
        self.assertEqual(self.report(4002, 4.25), 0.25)

    def test_two_calls_of_one_process_at_once_have_no_time(self) -> None:
        self.ask(4001, 1.0)
        self.ask(4001, 1.5)
        self.assertEqual([self.report(4001, 2.0), self.report(4001, 2.0)], [0.0, 0.0])

    def test_call_that_is_never_reported_makes_room(self) -> None:
        self.ask(4001, 1.0)
        self.ask(4002, 2.0)
        self.assertEqual(self.report(4002, 2.5), 0.0)
        self.ask(4002, 1.5 + LONGEST_TIMED)
        self.assertEqual(self.report(4002, 1.75 + LONGEST_TIMED), 0.25)

    def test_unknown_port_is_not_timed(self) -> None:
        self.ask(0, 1.0)
        self.assertEqual(self.report(0, 1.25), 0.0)

    def test_classic_weighs_a_failure_without_a_cost_as_one(self) -> None:
        module = module_of(A)
        for source in range(4000, 4014):
            module.pick(0, 1.0, source)
            module.heard(source, 9.0)
            module.report(A, True, 0.0, 9.0)
        self.assertEqual(module.ejected, 0)

    def test_slow_host_gets_less_of_the_calls_of_clients_that_report_no_cost(self) -> None:
        policy = new_policy("adaptive", random.Random(1))
        module = Module(ModuleId(1, 1), policy, 0.0)
        module.take_route([A, B, C], 600.0, True, 0.0)
        under_way: list[tuple[float, int, RoutedHost]] = []
        calls: Counter[HostAddress] = Counter()
        for number in range(9_000):
            now = number / 300
            while under_way and under_way[0][0] <= now:
                ended, source, host = heappop(under_way)
                module.heard(source, ended)
                module.report_success(host, ended)
            host_now = module.pick(0, now, number)
            assert host_now is not None
            calls[host_now.address] += number > 3_000
            heappush(under_way, (now + (0.1 if host_now.address == B else 0.01), number, host_now))
        self.assertLess(calls[B], 0.1 * calls[A])


class RoutedHostTests(SynchronousTestCase):
    def test_only_so_many_encodings_of_a_report_are_remembered(self) -> None:
        host = RoutedHost(A, module_of(A))
        remembered = [host.remember_report(data) for data in (b"1", b"1", b"2", b"3")]
        self.assertEqual(remembered, [True, False, True, False])
        self.assertEqual(host.reports, (b"1", b"2"))

    def test_calls_never_fall_whoever_takes_them_and_whichever_hosts_leave(self) -> None:
        module = module_of(A, B)
        module.report(A, False, 0.001, 1.0)
        module.report(B, True, 0.001, 1.0)
        module.report(C, True, 0.001, 1.0)  # outside the route
        self.assertEqual(module.calls, (1, 1))
        module.take_results(1.0)
        module.report(B, False, 0.001, 2.0)
        module.take_route([A], 600.0, True, 3.0)
        self.assertEqual(module.calls, (2, 1))
        module.take_route([A, B], 600.0, True, 4.0)
        module.report(B, True, 0.001, 5.0)
        self.assertEqual(module.calls, (2, 2))

    def test_taken_calls_add_up_in_the_counts_before(self) -> None:
        host = RoutedHost(A, module_of(A))
        host.succ, host.err = 3, 1
        self.assertEqual(host.take_calls(), (3, 1))
        self.assertEqual((host.succ, host.err, host.succ_before, host.err_before), (0, 0, 3, 1))
