"""A module: its hosts keep their identity, and no call to them is lost for lars-reporter."""

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.module import Module, RoutedHost
from lars.balancing.classic import Classic, ClassicSettings
from lars.balancing.gathered import Gathered
from lars.balancing.host import HostState
from lars.route import HostAddress, ModuleId, parse_host

A, B, C = (parse_host(f"10.0.0.{n}:80") for n in (1, 2, 3))


def module_of(*addresses: HostAddress) -> Module:
    module = Module(ModuleId(1, 1), Classic(ClassicSettings()), 0.0)
    module.take_route(addresses, 600.0, True, 0.0)
    return module


class RouteTests(SynchronousTestCase):
    def test_hosts_that_stay_are_the_same_objects_and_come_first(self) -> None:
        module = module_of(A, B)
        before = module.hosts[B]
        gone = module.take_route([C, B], 600.0, True, 1.0)
        self.assertEqual([host.address for host in gone], [A])
        self.assertEqual(list(module.hosts), [B, C])
        self.assertIs(module.hosts[B], before)

    def test_route_from_dns_answers_what_was_asked(self) -> None:
        module = Module(ModuleId(1, 1), Classic(ClassicSettings()), 0.0)
        module.asked(1.0)
        self.assertEqual((module.asked_at, module.routed_at), (1.0, None))
        module.take_route([A], 600.0, False, 2.0)
        self.assertEqual((module.asked_at, module.routed_at, module.fresh_until), (None, 2.0, 600.0))

    def test_saved_route_leaves_what_was_asked_open(self) -> None:
        module = Module(ModuleId(1, 1), Classic(ClassicSettings()), 0.0)
        module.asked(1.0)
        module.restore([A], 2.0)
        self.assertEqual((module.asked_at, module.routed_at, list(module.hosts)), (1.0, None, [A]))

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
        self.assertEqual(module.take_results(), {A: (0, 0, False)})
        self.assertIsNone(module.take_results())

    def test_calls_are_taken_once(self) -> None:
        module = module_of(A, B)
        module.report(A, False, 0.0, 0.0)
        module.report(A, True, 0.0, 0.0)
        module.report_success(module.hosts[B], 0.0)
        module.report_gathered(B, Gathered(4), 0.0)
        self.assertTrue(module.has_calls)
        self.assertEqual(module.take_results(), {A: (1, 1, False), B: (5, 0, False)})
        self.assertFalse(module.has_calls)

    def test_calls_of_a_host_that_left_are_still_taken_also_if_it_is_back(self) -> None:
        module = module_of(A, B)
        module.report(A, False, 0.0, 0.0)
        module.take_route([B], 600.0, True, 1.0)
        self.assertTrue(module.has_calls)
        module.take_route([A, B], 600.0, True, 2.0)
        module.report(A, True, 0.0, 2.0)
        self.assertEqual(module.take_results(), {A: (1, 1, False), B: (0, 0, False)})

    def test_change_of_state_alone_is_a_result(self) -> None:
        module = module_of(A)
        for _ in range(15):
            module.report(A, True, 0.0, 0.0)
        self.assertEqual(module.states(), {A: HostState.EJECTED})
        self.assertEqual(module.take_results(), {A: (0, 15, True)})
        module.sweep(15.0)
        self.assertEqual(module.ejected, 0)
        self.assertEqual(module.take_results(), {A: (0, 0, False)})

    def test_hosts_outside_the_route_are_kept_apart(self) -> None:
        module = module_of(A)
        self.assertIsNone(module.report(B, False, 0.0, 0.0))
        self.assertFalse(module.report_gathered(C, Gathered(3), 0.0))
        self.assertEqual(module.take_results(with_unrouted=False), {A: (0, 0, False)})
        self.assertEqual(module.take_results(), {B: (1, 0, False), C: (3, 0, False), A: (0, 0, False)})


class RoutedHostTests(SynchronousTestCase):
    def test_only_so_many_encodings_of_a_report_are_remembered(self) -> None:
        host = RoutedHost(A, module_of(A))
        remembered = [host.remember_report(data) for data in (b"1", b"1", b"2", b"3")]
        self.assertEqual(remembered, [True, False, True, False])
        self.assertEqual(host.reports, (b"1", b"2"))

    def test_taken_calls_add_up_in_the_counts_before(self) -> None:
        host = RoutedHost(A, module_of(A))
        host.succ, host.err = 3, 1
        self.assertEqual(host.take_calls(), (3, 1))
        self.assertEqual((host.succ, host.err, host.succ_before, host.err_before), (0, 0, 3, 1))
