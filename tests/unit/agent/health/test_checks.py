"""Which hosts are checked, and what follows from what the checks find."""

from itertools import cycle, pairwise

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.health.check import CONFIRM, PASSED
from lars.agent.health.schedule import JITTER
from lars.balancing.host import HostState
from lars.route import HostAddress, ModuleId, Steering
from lars.wire.lars_pb2 import RouteStateResponse
from tests.unit.agent.health.health_events import BUSY, REFUSED, CheckingAgent, M

ALWAYS = "1.1 health_check.when=always"


class EjectedTests(SynchronousTestCase):
    """health_check.when = ejected, the default."""

    def setUp(self) -> None:
        self.agent = CheckingAgent()
        self.module = self.agent.module(1, 2, 3)

    def test_hosts_that_take_calls_are_not_checked(self) -> None:
        self.agent.run(60)
        self.assertEqual((self.agent.checked, self.agent.health.checked), ([], 0))

    def test_dead_host_gets_no_call_until_its_checks_pass(self) -> None:
        self.agent.eject(self.module, 2)
        self.agent.outcome = lambda port: REFUSED if port == 2 else PASSED
        for _ in range(120):
            self.assertNotIn(2, self.agent.call(self.module, 50))
            self.agent.run(0.5)
        self.assertGreater(self.agent.health.outcomes["refused"], 10)
        (row,) = self.module.explain(self.agent.now, 1, 1)
        self.assertEqual((row.state, row.why), (HostState.UNHEALTHY, "unhealthy: connection refused"))
        self.assertIsNone(row.next_probe)
        self.agent.outcome = lambda _port: PASSED
        self.agent.run(7)
        self.assertEqual(self.agent.call(self.module, 1), [2], "a single call probes it")
        self.assertEqual(self.agent.out(self.module), [])
        self.agent.look()
        last = self.agent.changes[-1]
        self.assertEqual((last.state, last.reason, last.host.address.port), (HostState.HEALTHY, "check", 2))

    def test_one_pass_does_not_do_where_rise_is_two(self) -> None:
        self.agent.eject(self.module, 2)
        self.agent.run_until_checked()
        self.assertEqual(self.agent.health.outcomes["passed"], 1)
        self.assertNotIn(2, self.agent.call(self.module, 400))

    def test_checks_that_pass_again_are_confirmed_within_a_second(self) -> None:
        self.agent.eject(self.module, 2)
        self.agent.outcome = lambda port: REFUSED if port == 2 else PASSED
        self.agent.run(60)
        self.agent.outcome = lambda _port: PASSED
        self.agent.checked.clear()
        self.agent.run(15)
        first, second, third, *_ = (at for at, port in self.agent.checked if port == 2)
        self.assertLessEqual(second - first, CONFIRM * (1 + JITTER))
        self.assertGreaterEqual(third - second, 5 * (1 - JITTER), "they have: nothing changes now")

    def test_one_pass_among_failures_is_confirmed_once_and_not_more_often(self) -> None:
        self.agent.eject(self.module, 2)
        outcomes = cycle([REFUSED, PASSED])
        self.agent.outcome = lambda port: next(outcomes) if port == 2 else PASSED
        self.agent.run(60)
        times = [at for at, port in self.agent.checked if port == 2]
        gaps = [after - before for before, after in pairwise(times)]
        after_failures, after_passes = gaps[::2], gaps[1::2]
        self.assertGreaterEqual(min(after_failures), 5 * (1 - JITTER))
        self.assertLessEqual(max(after_passes), CONFIRM * (1 + JITTER))

    def test_interval_below_a_second_stays_as_it_is(self) -> None:
        agent = CheckingAgent("1.1 health_check.interval=0.5 health_check.timeout=0.2")
        agent.eject(agent.module(1, 2, 3), 2)
        agent.run(10)
        (first, _), (second, _), *_ = agent.checked
        self.assertLessEqual(abs(second - first - 0.5), 0.5 * JITTER + 1e-9)

    def test_fleet_checks_a_host_that_is_back_no_more_often_than_stated(self) -> None:
        """docs/design/balancing.md, health checks: `rise` times as often at most, and for one interval."""
        agents, interval, rise = 200, 5, 2
        back_at = 20
        a_second = [0] * (3 * back_at)
        for seed in range(agents):
            agent = CheckingAgent(seed=seed)
            module = agent.module(*range(1, 11))
            agent.call(module, 70)
            agent.eject(module, 2)
            agent.outcome = lambda port: REFUSED if port == 2 else PASSED
            agent.run(back_at - agent.now)
            agent.outcome = lambda _port: PASSED
            for _ in range(back_at):
                agent.run(1)
                agent.call(module, 20)
            for at, port in agent.checked:
                if port == 2:
                    a_second[int(at)] += 1
        self.assertLess(max(a_second[:back_at]), 1.5 * agents / interval)
        self.assertLess(max(a_second[back_at:]), 1.5 * rise * agents / interval)
        self.assertLessEqual(sum(a_second[back_at:]), agents * rise, "no more in all than without the hurry")

    def test_host_whose_checks_pass_but_whose_calls_fail_costs_single_calls(self) -> None:
        self.agent.eject(self.module, 2)
        lost = 0
        for _ in range(60):
            lost += self.agent.call(self.module, 50, fails=[2]).count(2)
            self.agent.run(0.5)
        self.assertGreater(lost, 0)
        self.assertLessEqual(lost, 7, "a probe each ten seconds or so")

    def test_dead_hosts_are_kept_out_also_while_most_calls_fail(self) -> None:
        self.agent.eject(self.module, 2)
        self.agent.outcome = lambda port: REFUSED if port == 2 else PASSED
        self.agent.run(6)
        self.assertNotIn(2, self.agent.call(self.module, 300, fails=[1, 2, 3]))

    def test_check_that_fails_at_hosts_that_take_calls_too_is_not_used(self) -> None:
        self.agent.outcome = lambda _port: REFUSED
        self.agent.eject(self.module, 2)
        self.agent.run(6)
        self.assertEqual({port for _at, port in self.agent.checked}, {1, 2, 3})
        self.assertEqual(self.agent.events.seen, [("unusable", M, "connection refused")])
        self.assertEqual(self.agent.out(self.module), [2], "no other host is ejected by it")
        self.assertIn(2, self.agent.call(self.module, 800), "a call probes it")
        self.assertEqual(self.agent.out(self.module), [])

    def test_one_other_host_that_fails_does_not_make_the_check_unusable(self) -> None:
        self.agent.outcome = lambda port: PASSED if port == 3 else REFUSED
        self.agent.eject(self.module, 2)
        self.agent.run(30)
        self.assertEqual((self.agent.events.seen, self.agent.out(self.module)), ([], [2]))

    def test_controls_are_rare_while_the_check_can_pass(self) -> None:
        self.agent.outcome = lambda port: REFUSED if port == 2 else PASSED
        self.agent.eject(self.module, 2)
        self.agent.run(300)
        others = [port for _at, port in self.agent.checked if port != 2]
        self.assertLessEqual(len(others), 6)

    def test_host_that_leaves_the_route_is_no_longer_checked(self) -> None:
        self.agent.eject(self.module, 2)
        self.agent.module(1, 3)
        self.assertEqual(self.agent.health.checked, 0)
        self.agent.run(60)
        self.assertEqual(self.agent.checked, [])

    def test_checks_end_with_their_module(self) -> None:
        self.agent.eject(self.module, 2)
        self.agent.directory.take_route(M, [], 1e9, True, self.agent.now)
        self.module.take_results(0.0)
        self.agent.directory.forget_unused(self.agent.now + 1e6, 60.0)
        self.assertEqual((dict(self.agent.directory.modules), self.agent.health.checked), ({}, 0))

    def test_when_off_calls_probe_as_without_checks(self) -> None:
        agent = CheckingAgent("* health_check.when=off")
        module = agent.module(1, 2, 3)
        agent.eject(module, 2)
        agent.run(60)
        self.assertEqual(agent.checked, [])
        self.assertIn(2, agent.call(module, 800))


class AlwaysTests(SynchronousTestCase):
    """health_check.when = always."""

    def setUp(self) -> None:
        self.agent = CheckingAgent(ALWAYS)
        self.module = self.agent.module(1, 2, 3)

    def test_dead_host_leaves_before_any_call(self) -> None:
        self.agent.outcome = lambda port: REFUSED if port == 2 else PASSED
        while not self.agent.out(self.module):
            self.agent.run_until_checked()
        self.assertEqual(self.agent.out(self.module), [2])
        first, _second, third, *_ = (at for at, port in self.agent.checked if port == 2)
        self.assertLessEqual(third - first, 2 * CONFIRM * (1 + JITTER), "after the first one, two more soon")
        (change,) = self.agent.changes
        self.assertEqual((change.state, change.reason), (HostState.UNHEALTHY, "check"))
        failed = self.agent.health.outcomes["refused"]
        self.assertEqual(change.evidence, f"connection refused; {failed} checks in a row failed")
        self.assertEqual(self.agent.directory.counters.ejections, {"check": 1})
        self.assertNotIn(2, self.agent.call(self.module, 100))
        state = RouteStateResponse.FromString(self.module.route_state().full)
        self.assertEqual([host.port for host in state.overloaded], [2], "clients do not choose it either")

    def test_dead_host_leaves_within_an_interval_and_two_seconds_where_others_answer(self) -> None:
        for seed in range(20):
            agent = CheckingAgent(ALWAYS, seed=seed)
            module = agent.module(*range(1, 31))
            agent.outcome = lambda port: REFUSED if port == 2 else PASSED
            agent.run(5 + 2 * CONFIRM * (1 + JITTER))
            self.assertEqual((agent.out(module), agent.health.outcomes["refused"]), ([2], 3))

    def test_it_comes_back_with_a_slow_start_once_checks_pass(self) -> None:
        self.agent.outcome = lambda port: REFUSED if port == 2 else PASSED
        self.agent.run(20)
        self.agent.outcome = lambda _port: PASSED
        self.agent.run(7)
        self.assertEqual(self.agent.out(self.module), [])
        self.assertEqual(self.agent.changes[-1].reason, "check")
        self.assertEqual(self.agent.directory.counters.restorations, {"check": 1})
        (row,) = self.module.explain(self.agent.now, 1, 1)
        self.assertIn("joined or restored", row.why)
        self.assertLess(row.share, 0.1)

    def test_hosts_that_answer_calls_well_need_no_tcp_check(self) -> None:
        self.agent.run(6)
        self.agent.checked.clear()
        for _ in range(30):
            self.agent.call(self.module, 30)
            self.agent.run(1)
        self.assertEqual(self.agent.checked, [])
        self.assertGreater(self.agent.health.spared, 15)

    def test_http_check_is_made_also_of_hosts_that_answer_calls(self) -> None:
        agent = CheckingAgent(f"{ALWAYS} health_check.type=http health_check.path=/up")
        module = agent.module(1, 2, 3)
        agent.outcome = lambda port: BUSY if port == 3 else PASSED
        for _ in range(30):
            agent.call(module, 30)
            agent.run(1)
        self.assertEqual(agent.out(module), [3])
        self.assertEqual(module.explain(agent.now, 2, 1)[0].why, "unhealthy: http 503")

    def test_where_no_host_is_healthy_all_take_calls_until_one_is(self) -> None:
        self.agent.outcome = lambda _port: BUSY
        self.agent.run(30)
        self.assertEqual(self.agent.out(self.module), [])
        self.assertEqual(set(self.agent.call(self.module, 60)), {1, 2, 3})
        self.assertEqual(self.module.explain(self.agent.now, 0, 1)[0].why, "unhealthy: http 503; none is healthy")
        self.agent.outcome = lambda port: PASSED if port == 2 else BUSY
        self.agent.run(12)
        self.assertEqual(self.agent.out(self.module), [1, 3])
        self.assertEqual(set(self.agent.call(self.module, 60)), {2})

    def test_without_panic_calls_are_refused(self) -> None:
        agent = CheckingAgent(f"{ALWAYS} panic=false")
        module = agent.module(1, 2)
        agent.outcome = lambda _port: BUSY
        agent.run(30)
        self.assertEqual(set(agent.call(module, 10)), {0})
        agent.outcome = lambda _port: PASSED
        agent.run(12)
        self.assertEqual(set(agent.call(module, 100)), {1, 2})

    def test_drained_host_is_not_checked(self) -> None:
        hosts = list(self.module.hosts)
        self.module.take_route(hosts, 1e9, True, self.agent.now, Steering({hosts[0]: 0}))
        self.agent.look()
        self.agent.run(20)
        self.assertEqual({port for _at, port in self.agent.checked}, {2, 3})

    def test_port_that_is_checked_may_be_another(self) -> None:
        agent = CheckingAgent(f"{ALWAYS} health_check.port=9000")
        agent.module(1, 2)
        agent.run(6)
        self.assertEqual({port for _at, port in agent.checked}, {9000})


class NetworkTests(SynchronousTestCase):
    """All checks of all modules fail."""

    def test_hosts_are_kept_and_one_line_says_so(self) -> None:
        agent = CheckingAgent("* health_check.when=always panic=false")
        modules = [agent.module(1, 2), agent.module(3, 4, key=ModuleId(1, 2))]
        agent.run(10)
        agent.outcome = lambda _port: REFUSED
        agent.run(300)
        self.assertEqual([agent.out(module) for module in modules], [[], []])
        self.assertEqual(agent.events.seen, [("broken", 4)])
        agent.outcome = lambda port: REFUSED if port == 1 else PASSED
        while len(agent.events.seen) < 2:
            agent.run_until_checked()
        self.assertEqual(agent.events.seen[1:], [("works",)])
        self.assertEqual(agent.out(modules[0]), [], "failures begin anew")
        agent.run(20)
        self.assertEqual(agent.out(modules[0]), [1])

    def test_host_that_fails_before_others_were_checked_is_kept_until_they_are(self) -> None:
        for seed in range(20):
            agent = CheckingAgent("* health_check.when=always panic=false", seed=seed)
            module = agent.module(1, 2)
            agent.run(10)
            agent.outcome = lambda _port: REFUSED
            agent.run(30)
            self.assertEqual((agent.out(module), agent.events.seen), ([], [("broken", 2)]))

    def test_single_host_that_is_checked_leaves_once_others_would_have_been(self) -> None:
        agent = CheckingAgent("* health_check.when=always panic=false")
        module = agent.module(1)
        agent.outcome = lambda _port: REFUSED
        agent.run(15)
        self.assertEqual((agent.out(module), agent.events.seen), ([1], []))

    def test_hosts_that_answer_503_everywhere_are_no_broken_network(self) -> None:
        agent = CheckingAgent("* health_check.when=always")
        agent.module(1, 2)
        agent.outcome = lambda _port: BUSY
        agent.run(60)
        self.assertEqual(agent.events.seen, [])

    def test_dead_zone_of_one_module_is_no_broken_network(self) -> None:
        agent = CheckingAgent("* health_check.when=always")
        dead, other = agent.module(1, 2, 3, 4, 5), agent.module(6, key=ModuleId(1, 2))
        agent.outcome = lambda port: REFUSED if port in (1, 2, 3, 4) else PASSED
        agent.run(30)
        self.assertEqual((agent.out(dead), agent.out(other)), ([1, 2, 3, 4], []))
        self.assertEqual(agent.events.seen, [])


class ClassicTests(SynchronousTestCase):
    def test_checks_do_not_apply_and_one_event_says_so(self) -> None:
        agent = CheckingAgent(ALWAYS, policy="classic")
        agent.module(1, 2)
        agent.run(60)
        self.assertEqual((agent.checked, agent.events.seen), ([], [("without effect", M, "classic")]))

    def test_nothing_is_said_where_no_check_is_set(self) -> None:
        agent = CheckingAgent(policy="classic")
        agent.module(1, 2)
        agent.run(10)
        self.assertEqual(agent.events.seen, [])


class AddressTests(SynchronousTestCase):
    def test_hosts_of_two_modules_are_checked_for_each(self) -> None:
        agent = CheckingAgent("1.1 health_check.when=always")
        agent.module(1, 2)
        other = agent.module(1, 2, key=ModuleId(1, 2))
        agent.outcome = lambda port: REFUSED if port == 1 else PASSED
        agent.run(30)
        self.assertEqual(agent.out(other), [], "its own settings check none")
        self.assertIsNotNone(other.hosts[HostAddress(1, 1)])
