"""Checks and zones as an ejecting policy has them, whatever it picks by."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.balancing.ejecting import EjectingPolicy, EjectingSettings
from lars.balancing.ejection import EjectionSettings
from lars.balancing.host import MAX_WHY, Host, HostState
from lars.balancing.policies import PICKERS
from lars.route import HostAddress
from tests.unit.balancing.test_ejecting import Caller


class ZonedCaller(Caller):
    """A caller in zone a; the hosts are in the zones that are given, one letter each."""

    def __init__(self, name: str, zones: str, seed: int = 1) -> None:
        super().__init__(name, *([100] * len(zones)), seed=seed)
        for host, zone in zip(self.hosts, zones, strict=True):
            host.zone = zone
        self.policy.use_locality("a", 1.4)

    def in_a(self, times: int) -> float:
        """The share of the next calls that stays in zone a."""
        seen = self.calls(times)
        return sum(seen[n] for n, host in enumerate(self.hosts) if host.zone == "a") / times


class CheckTests(SynchronousTestCase):
    def each(self, *weights: int) -> list[tuple[str, Caller]]:
        return [(name, Caller(name, *weights)) for name in PICKERS]

    def test_unhealthy_host_gets_no_call_until_its_checks_pass(self) -> None:
        for name, caller in self.each(100, 100, 100):
            caller.policy.use_checks(True, True)
            caller.calls(100)
            caller.policy.check_failed(caller.hosts[1], "http 503", "3 in a row")
            self.assertEqual(caller.calls(3000)[1], 0, name)
            self.assertEqual(caller.states()[1], HostState.UNHEALTHY)
            caller.policy.check_passed(caller.hosts[1])
            self.assertGreater(caller.calls(1000)[1], 200, name)

    def test_revision_follows_what_checks_change(self) -> None:
        caller = Caller("adaptive", 100, 100)
        caller.policy.use_checks(True, True)
        before = caller.policy.revision
        caller.policy.use_checks(True, True)
        self.assertEqual(caller.policy.revision, before)
        caller.policy.check_failed(caller.hosts[1], "http 503", "3 in a row")
        self.assertNotEqual(caller.policy.revision, before)

    def test_result_of_a_call_from_before_brings_no_unhealthy_host_back(self) -> None:
        caller = Caller("adaptive", 100, 100)
        caller.policy.use_checks(True, True)
        caller.policy.check_failed(caller.hosts[1], "no answer", "3 in a row")
        caller.policy.report(caller.hosts[1], False, 0.01, caller.now)
        self.assertEqual(caller.states()[1], HostState.UNHEALTHY)

    def test_checks_that_end_bring_back_what_they_took(self) -> None:
        for name, caller in self.each(100, 100):
            for host in caller.hosts:
                caller.policy.check_failed(host, "http 503", "3 in a row")
            caller.policy.end_checks()
            self.assertEqual(caller.states(), [HostState.HEALTHY] * 2, name)
            self.assertEqual(caller.policy.doubtful(), [])

    def test_ejection_that_is_turned_off_brings_back_no_unhealthy_host(self) -> None:
        for name, caller in self.each(100, 100, 100):
            caller.policy.use_checks(True, True)
            caller.calls(100)
            caller.fails = lambda number: number == 1
            caller.calls(3000)
            self.assertEqual(caller.states()[1], HostState.EJECTED, name)
            caller.policy.check_failed(caller.hosts[1], "http 503", "")
            assert isinstance(caller.policy, EjectingPolicy)
            caller.policy.use(caller.policy.picker, EjectingSettings(ejection=EjectionSettings(enabled=False)))
            self.assertEqual(caller.states()[1], HostState.UNHEALTHY, name)
            caller.fails = lambda _number: False
            self.assertEqual(caller.calls(300)[1], 0, name)
            caller.policy.check_passed(caller.hosts[1])
            self.assertEqual(caller.states()[1], HostState.HEALTHY, name)

    def test_host_that_fails_calls_in_a_panic_is_ejected_and_probed_by_calls(self) -> None:
        for name, caller in self.each(100, 100, 100, 100):
            caller.policy.use_checks(True, True)
            caller.calls(100)
            for host in caller.hosts:
                caller.policy.check_failed(host, "http 404", "3 in a row")
            self.assertEqual(caller.states(), [HostState.HEALTHY] * 4, name)
            caller.fails = lambda number: number == 2
            caller.calls(1500)
            self.assertEqual(caller.policy.ejected, 1, name)
            caller.fails = lambda _number: False
            caller.calls(1500)
            self.assertEqual(caller.policy.ejected, 0, name)

    def test_failures_of_calls_that_were_not_picked_here_count_as_no_probe(self) -> None:
        """Clients with a cache pick by themselves: their calls to a host that has hung end long after its ejection."""
        for name, caller in self.each(100, 100, 100):
            caller.policy.use_checks(True, True)
            caller.cost = lambda number: 5.0 if number == 1 else 0.01
            caller.fails = lambda number: number == 1
            caller.calls(1500)
            self.assertEqual(caller.states()[1], HostState.EJECTED, name)
            for _ in range(3):
                caller.policy.report(caller.hosts[1], True, 5.0, caller.now)
            caller.fails, caller.cost = (lambda _number: False), (lambda _number: 0.01)
            caller.policy.check_passed(caller.hosts[1])
            caller.calls(3)
            self.assertEqual(caller.states()[1], HostState.HEALTHY, name)

    def test_unhealthy_host_that_leaves_and_is_back_is_still_unhealthy(self) -> None:
        caller = Caller("adaptive", 100, 100, 100)
        caller.policy.use_checks(True, True)
        caller.policy.check_failed(caller.hosts[1], "http 503", "3 in a row")
        left = caller.hosts.pop(1)
        caller.policy.rebuild(caller.hosts, 1.0)
        caller.hosts.insert(1, Host(left.address))
        caller.policy.rebuild(caller.hosts, 2.0)
        self.assertEqual(caller.states()[1], HostState.UNHEALTHY)
        caller.policy.check_passed(caller.hosts[1])
        self.assertEqual(caller.states()[1], HostState.HEALTHY)

    def test_last_healthy_host_leaves_the_route(self) -> None:
        caller = Caller("adaptive", 100, 100)
        caller.policy.use_checks(True, True)
        caller.policy.check_failed(caller.hosts[1], "http 503", "3 in a row")
        del caller.hosts[0]
        caller.policy.rebuild(caller.hosts, 1.0)
        self.assertEqual(set(caller.calls(10)), {1})

    @given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=80), st.booleans(), st.booleans())
    @settings(max_examples=150, deadline=None)
    def test_whatever_happens_some_host_takes_calls(
        self, events: list[tuple[int, int]], gated: bool, zoned: bool
    ) -> None:
        caller = ZonedCaller("adaptive", "aabb") if zoned else Caller("adaptive", 100, 100, 100, 100)
        policy = caller.policy
        policy.use_checks(gated, True)
        for event, number in events:
            host = caller.hosts[number]
            if event == 0:
                policy.check_failed(host, "http 503", "3 in a row")
            elif event == 1:
                policy.check_failed(host, "connection refused")
            elif event == 2:
                policy.check_passed(host)
            elif event == 3:
                caller.fails = lambda n, number=number: n == number  # type: ignore[misc]
            elif event == 4:
                caller.fails = lambda _n: False
            elif event == 5:
                policy.use_checks(number % 2 == 0, True)
            elif event == 6:
                policy.end_checks()
            elif event == 7:
                host.weight = 100 - host.weight
                policy.rebuild(caller.hosts, caller.now)
            else:
                seen = caller.calls(20 * number + 1)
                self.assertEqual(seen[-1], 0)
            rows = policy.explain(caller.now)
            self.assertLess(abs(sum(row.share for row in rows) - 1), 0.01)
            self.assertTrue(all(len(row.why) <= MAX_WHY and row.why.isascii() for row in rows))


class ZoneTests(SynchronousTestCase):
    def test_calls_stay_in_the_zone_while_its_hosts_suffice(self) -> None:
        for name in PICKERS:
            self.assertEqual(ZonedCaller(name, "aaaabbbb").in_a(500), 1.0, name)
            self.assertEqual(Caller(name, 100).policy.weights(), [100], name)

    def test_caller_without_a_zone_calls_all(self) -> None:
        caller = ZonedCaller("adaptive", "aabb")
        caller.policy.use_locality("", 1.4)
        self.assertAlmostEqual(caller.in_a(400), 0.5)

    def test_dead_zone_costs_few_calls_and_the_others_take_over(self) -> None:
        for name in PICKERS:
            caller = ZonedCaller(name, "aaabbb")
            caller.calls(1000)
            caller.fails = lambda number: number < 3
            lost = sum(caller.calls(20)[n] for n in range(3))
            seen = caller.calls(2000)
            self.assertLessEqual(lost + sum(seen[n] for n in range(3)), 20, name)
            self.assertEqual(caller.states()[:3], [HostState.EJECTED] * 3, name)

    def test_shares_return_smoothly(self) -> None:
        for name in PICKERS:
            caller = ZonedCaller(name, "aaabbb")
            caller.policy.use_checks(True, True)
            caller.calls(1000)
            for host in caller.hosts[:3]:
                caller.policy.check_failed(host, "connection refused", "3 in a row")
            self.assertEqual(caller.in_a(300), 0.0, name)
            for host in caller.hosts[:3]:
                caller.policy.check_passed(host)
            shares = [caller.in_a(50) for _ in range(6)]  # a second each
            self.assertLess(shares[0], 0.35, (name, shares))
            self.assertEqual(shares[-1], 1.0, (name, shares))
            self.assertEqual(shares, sorted(shares), name)

    def test_explained_shares_and_weights_are_those_of_the_next_calls(self) -> None:
        for name in ("adaptive", "round_robin"):
            caller = ZonedCaller(name, "aaaabbbb", seed=3)
            caller.policy.use_checks(True, True)
            for host in caller.hosts[:2]:
                caller.policy.check_failed(host, "connection refused", "3 in a row")
            caller.calls(500)
            rows = caller.policy.explain(caller.now)
            self.assertAlmostEqual(sum(row.share for row in rows[:4]), 0.7, places=5, msg=name)
            self.assertLess(abs(caller.in_a(2000) - 0.7), 0.03, name)
            weights = caller.policy.weights()
            self.assertLess(abs(sum(weights[2:4]) / sum(weights[2:]) - 0.7), 0.01, name)

    def test_why_names_the_other_zone(self) -> None:
        rows = ZonedCaller("adaptive", "ab").policy.explain(0.0)
        self.assertEqual([row.why for row in rows], ["takes its share", "in another zone: those of this one suffice"])

    def test_new_host_of_the_zone_joins(self) -> None:
        caller = ZonedCaller("adaptive", "bb")
        self.assertEqual(caller.in_a(10), 0.0)
        caller.hosts.append(Host(HostAddress(1, 3), zone="a"))
        caller.policy.rebuild(caller.hosts, caller.now)
        caller.calls(300)
        self.assertEqual(caller.in_a(100), 1.0)

    def test_locality_takes_no_draws_where_no_zone_is_set(self) -> None:
        plain, zoned = Caller("adaptive", 100, 100, seed=7), Caller("adaptive", 100, 100, seed=7)
        zoned.policy.use_locality("", 1.4)
        self.assertEqual(plain.calls(100), zoned.calls(100))
