"""What every ejecting policy does for its callers, whatever it picks by."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.balancing.gathered import Gathered
from lars.balancing.host import Host, HostState, StateChange
from lars.balancing.policies import NAMES, PICKERS, new_policy
from lars.balancing.policy import Policy
from lars.route import HostAddress


class Caller:
    """Makes calls one after the other, `gap` seconds apart; `fails` says which hosts fail now."""

    def __init__(self, name: str, *weights: int, seed: int = 1) -> None:
        self.policy: Policy[Host] = new_policy(name, random.Random(seed))
        self.hosts = [Host(HostAddress(1, n + 1), weight) for n, weight in enumerate(weights)]
        self.policy.rebuild(self.hosts, 0.0)
        self.now = 0.0
        self.gap = 0.02
        self.key = 0
        self.changes: list[StateChange[Host]] = []
        self.fails: Callable[[int], bool] = lambda _n: False
        self.cost: Callable[[int], float] = lambda _n: 0.01

    def calls(self, times: int) -> Counter[int]:
        """How often each host was picked; -1 for calls that were not to be made."""
        seen: Counter[int] = Counter()
        for _ in range(times):
            before, self.now = self.now, self.now + self.gap
            if int(before) != int(self.now):
                self.changes += self.policy.sweep(self.now)
            self.key += 1
            host = self.policy.pick(self.key, self.now)
            if host is None:
                seen[-1] += 1
                continue
            number = host.address.port - 1
            seen[number] += 1
            self.policy.report(host, self.fails(number), self.cost(number), self.now)
        return seen

    def states(self) -> list[HostState]:
        states = self.policy.states()
        return [states[host] for host in self.hosts if host in states]


class EjectingTests(SynchronousTestCase):
    def each(self, *weights: int) -> list[tuple[str, Caller]]:
        return [(name, Caller(name, *weights)) for name in PICKERS]

    def test_equal_hosts_get_equal_shares(self) -> None:
        for name, caller in self.each(100, 100, 100, 100):
            for count in caller.calls(4000).values():
                self.assertLess(abs(count / 1000 - 1), 0.2 if name == "consistent_hash" else 0.05, name)

    def test_weight_of_two_hundred_gets_twice_the_calls(self) -> None:
        for name, caller in self.each(200, 100, 100):
            seen = caller.calls(4000)
            self.assertLess(abs(seen[0] / (seen[1] + seen[2]) - 1), 0.1, name)

    def test_drained_host_gets_no_call_while_others_have_weight(self) -> None:
        for name, caller in self.each(100, 0, 100):
            self.assertEqual(caller.calls(500)[1], 0, name)

    def test_drained_hosts_take_calls_where_all_are_drained(self) -> None:
        for name, caller in self.each(0, 0):
            self.assertEqual(set(caller.calls(200)), {0, 1}, name)

    def test_dead_host_costs_few_calls_and_gets_its_share_back(self) -> None:
        for name, caller in self.each(100, 100, 100, 100, 100):
            caller.calls(1000)
            caller.fails = lambda number: number == 2
            lost = caller.calls(3000)[2]
            self.assertLess(lost, 12, name)
            self.assertEqual(caller.states()[2], HostState.EJECTED, name)
            caller.fails = lambda _number: False
            caller.calls(2000)
            self.assertEqual(caller.states()[2], HostState.HEALTHY, name)
            self.assertGreater(caller.calls(1000)[2], 120, name)

    def test_changes_are_returned_once_with_their_evidence(self) -> None:
        caller = Caller("adaptive", 100, 100, 100)
        caller.calls(200)
        caller.fails = lambda number: number == 0
        caller.calls(450)
        (change,) = caller.changes
        self.assertEqual((change.host, change.state), (caller.hosts[0], HostState.EJECTED))
        self.assertIn("2 failed in a row", change.evidence)
        self.assertEqual((caller.policy.sweep(caller.now), caller.policy.ejected), ([], 1))

    def test_what_fails_everywhere_ejects_nobody_and_refuses_nothing(self) -> None:
        for name, caller in self.each(100, 100, 100, 100, 100):
            draw = random.Random(3).random
            caller.calls(500)
            caller.fails = lambda _number, draw=draw: draw() < 0.3  # type: ignore[misc]
            seen = caller.calls(3000)
            self.assertEqual(seen[-1], 0, name)
            self.assertGreaterEqual(caller.states().count(HostState.HEALTHY), 3, name)

    def test_last_host_is_never_ejected(self) -> None:
        for name, caller in self.each(100):
            caller.fails = lambda _number: True
            self.assertEqual(caller.calls(300), {0: 300}, name)

    def test_when_the_last_healthy_host_leaves_an_ejected_one_is_restored(self) -> None:
        for name, caller in self.each(100, 100):
            caller.calls(300)
            caller.fails = lambda number: number == 0
            caller.calls(500)
            self.assertEqual(caller.policy.ejected, 1, name)
            caller.hosts.pop()
            caller.policy.rebuild(caller.hosts, caller.now)
            self.assertEqual((caller.policy.ejected, caller.calls(10)), (0, {0: 10}), name)

    def test_slow_host_gets_less_from_adaptive(self) -> None:
        caller = Caller("adaptive", 100, 100, 100, 100)
        caller.calls(400)
        caller.cost = lambda number: 0.1 if number == 1 else 0.01
        caller.calls(400)
        seen = caller.calls(2000)
        self.assertLess(seen[1], 0.5 * seen[0])

    def test_calls_that_are_never_reported_are_forgotten(self) -> None:
        caller = Caller("adaptive", 100, 100)
        for _ in range(50):
            caller.policy.pick(0, caller.now)
        for _ in range(40):
            caller.now += 1.0
            caller.policy.pick(0, caller.now)
            caller.calls(30)
        for host in caller.hosts:
            self.assertLess(host.record.in_flight, 5)

    def test_agents_start_at_random_hosts(self) -> None:
        for name in PICKERS:
            firsts = {next(iter(Caller(name, 100, 100, 100, seed=seed).calls(1))) for seed in range(200)}
            self.assertEqual(len(firsts), 1 if name == "consistent_hash" else 3, name)

    def test_route_without_hosts_gives_none(self) -> None:
        for name in NAMES:
            self.assertEqual(Caller(name).calls(3), {-1: 3}, name)

    def test_gathered_successes_count_as_successes_and_their_costs_as_costs(self) -> None:
        one_by_one, gathered = Caller("adaptive", 100, 100), Caller("adaptive", 100, 100)
        for caller in (one_by_one, gathered):
            caller.calls(100)
        for number, (host, cost) in enumerate(zip(one_by_one.hosts, (0.01, 0.06), strict=True)):
            for _ in range(50):
                one_by_one.policy.report(host, False, cost, 2.0)
            gathered.policy.report_gathered(gathered.hosts[number], Gathered(50, 50 * cost, 50), 2.0)
        for one, other in zip(one_by_one.hosts, gathered.hosts, strict=True):
            self.assertAlmostEqual(one.record.good, other.record.good)
            self.assertAlmostEqual(one.record.latency, other.record.latency)
        self.assertGreater(gathered.hosts[1].record.penalty, 2.0)

    def test_gathered_successes_of_an_ejected_host_do_not_restore_it(self) -> None:
        caller = Caller("adaptive", 100, 100, 100)
        caller.calls(30)
        for _ in range(5):
            caller.policy.report(caller.hosts[0], True, 0.0, caller.now)
        caller.policy.report_gathered(caller.hosts[0], Gathered(1_000), caller.now)
        self.assertEqual(caller.states()[0], HostState.EJECTED)

    def test_gathered_successes_leave_calls_in_flight_alone(self) -> None:
        caller = Caller("adaptive", 100)
        for _ in range(3):
            caller.policy.pick(0, 0.0)
        caller.policy.report_gathered(caller.hosts[0], Gathered(1_000), 0.0)
        self.assertEqual(caller.hosts[0].record.in_flight, 3)

    def test_ejected_host_is_probed_as_soon_if_clients_pick_by_themselves(self) -> None:
        caller = Caller("adaptive", 100, 100, 100)
        caller.calls(30)
        while HostState.EJECTED not in caller.states():
            caller.policy.report(caller.hosts[0], True, 0.0, caller.now)
        picked = None
        seconds = 0
        while picked is not caller.hosts[0]:
            seconds += 1
            caller.now += 1.0
            caller.policy.calls_passed(500, caller.now)
            picked = caller.policy.pick(0, caller.now)
        self.assertLess(seconds, 10)

    def test_slow_start_takes_two_seconds_also_with_little_traffic(self) -> None:
        for name in PICKERS:
            calls = 0
            for seed in range(10):
                caller = Caller(name, 100, 100, 100, 100, seed=seed)
                caller.calls(100)
                caller.fails = lambda number: number == 0
                while not caller.policy.ejected:
                    caller.calls(1)
                caller.fails = lambda _number: False
                while caller.policy.ejected:
                    caller.calls(1)
                caller.gap = 10.0
                calls += caller.calls(20)[0]
            self.assertGreater(calls / 50, 0.8, f"{name}: its share of 200 calls")

    def test_host_that_was_ejected_before_the_first_pick_is_probed_no_sooner(self) -> None:
        """Clients with a cache pick by themselves: the agent may have had no call to pick for a long time, or none."""
        for picks in (0, 30):
            caller = Caller("adaptive", 100, 100, 100)
            caller.calls(picks)
            caller.now += 50_000.0
            for host in caller.hosts[1:]:
                caller.policy.report_gathered(host, Gathered(100), caller.now)
            while HostState.EJECTED not in caller.states():
                caller.policy.report(caller.hosts[0], True, 0.0, caller.now)
            caller.fails = lambda number: number == 0
            self.assertEqual(caller.calls(200)[0], 0, f"after {picks} picks")
            caller.now += 800.0
            self.assertEqual(caller.calls(1)[0], 1, "after ten minutes the next call is a probe")

    def test_host_that_another_policy_had_ejected_is_probed_no_sooner(self) -> None:
        for name, caller in self.each(100, 100, 100):
            caller.now = 50_000.0
            caller.policy.carry_over(caller.hosts[:1], caller.now)
            self.assertEqual(caller.calls(200)[0], 0, name)

    def test_one_forged_cost_says_little(self) -> None:
        caller = Caller("adaptive", 100, 100)
        caller.calls(200)
        caller.policy.report_gathered(caller.hosts[0], Gathered(1, 1e9, 1), caller.now)
        self.assertLess(caller.hosts[0].record.penalty, 1.5)


class RouteChangeTests(SynchronousTestCase):
    """What a change of the route leaves as it is."""

    def setUp(self) -> None:
        self.caller = Caller("adaptive", 100, 100, 100)
        self.caller.calls(300)
        self.caller.fails = lambda number: number == 0
        while not self.caller.policy.ejected:
            self.caller.calls(1)
        self.caller.calls(20)
        self.caller.changes = self.caller.policy.sweep(self.caller.now)
        self.dead = self.caller.hosts[0]

    def route(self, *hosts: Host, after: float = 0.0) -> None:
        self.caller.now += after
        self.caller.hosts = list(hosts)
        self.caller.policy.rebuild(hosts, self.caller.now)

    def again(self) -> Host:
        """The host as a caller has it that has removed it and adds it again."""
        return Host(self.dead.address)

    def known(self) -> tuple[HostState, float | None, float, int, str]:
        (host,) = [e for e in self.caller.policy.explain(self.caller.now) if e.address == self.dead.address]
        return host.state, host.next_probe, host.failures, host.failures_in_a_row, host.why

    def test_hosts_that_stay_keep_what_is_known_of_them(self) -> None:
        _dead, second, third = self.caller.hosts
        before = self.known()
        self.route(third, Host(HostAddress(1, 9)), self.dead, after=1.0)
        self.assertEqual(self.known(), before)
        self.assertGreater(third.record.good, 50)
        self.assertIsNone(second.record)

    def test_host_that_is_back_within_a_minute_is_still_ejected_and_probed_when_that_was_due(self) -> None:
        _dead, second, third = self.caller.hosts
        before = self.known()
        self.route(second, third, after=1.0)
        self.assertEqual((self.caller.policy.ejected, self.dead.record), (0, None))
        self.route(self.again(), second, third, after=30.0)
        self.assertEqual(self.known(), before)
        (change,) = self.caller.policy.sweep(self.caller.now)
        self.assertEqual((change.state, change.reason), (HostState.EJECTED, "back in the route"))
        self.assertRegex(change.evidence, r"^it was ejected when it left the route 30 s ago; probed in \d+ s$")
        self.caller.fails = lambda _number: False
        self.assertEqual(self.caller.calls(30)[0], 0)
        self.caller.calls(600)
        self.assertEqual(self.caller.states(), [HostState.HEALTHY] * 3)

    def test_host_that_is_back_later_is_a_new_one(self) -> None:
        _dead, second, third = self.caller.hosts
        for swept in (False, True):
            self.route(second, third)
            if swept:
                self.caller.policy.sweep(self.caller.now + 61.0)
            self.route(self.again(), second, third, after=61.0)
            self.assertEqual(self.caller.policy.ejected, 0)
            self.caller.calls(1)

    def test_ejection_outlives_an_empty_route_and_one_of_other_hosts(self) -> None:
        _dead, second, third = self.caller.hosts
        before = self.known()
        self.route(after=1.0)
        self.route(self.again(), second, third, after=1.0)
        self.assertEqual(self.known(), before)
        self.route(*self.caller.hosts[:1], Host(HostAddress(1, 8)), after=1.0)
        self.assertEqual(self.known(), before)
        self.assertEqual([change.reason for change in self.caller.policy.sweep(self.caller.now)], ["back in the route"])

    def test_host_that_is_back_alone_takes_the_calls(self) -> None:
        self.route(*self.caller.hosts[1:])
        self.route(self.again(), after=1.0)
        self.assertEqual((self.caller.policy.ejected, self.caller.calls(5)), (0, {0: 5}))

    def test_host_that_is_drained_for_a_while_is_still_ejected(self) -> None:
        before = self.known()
        self.dead.weight = 0
        self.route(*self.caller.hosts, after=1.0)
        self.assertEqual((self.known()[0], self.caller.policy.ejected), (HostState.HEALTHY, 0))
        self.dead.weight = 100
        self.route(*self.caller.hosts, after=10.0)
        self.assertEqual(self.known(), before)

    def test_healthy_host_that_comes_and_goes_is_not_ejected(self) -> None:
        _dead, second, third = self.caller.hosts
        self.route(self.dead, third)
        self.route(self.dead, Host(second.address), third, after=1.0)
        self.assertEqual(self.caller.policy.ejected, 1)
        self.assertEqual(self.known()[0], HostState.EJECTED)

    def test_calls_from_before_the_ejection_that_are_never_reported_hide_no_probe(self) -> None:
        self.dead.record.in_flight = self.dead.record.stale = 50
        self.caller.fails = lambda _number: False
        self.caller.calls(2500)
        self.assertEqual(self.caller.states(), [HostState.HEALTHY] * 3)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("pick"), st.integers(1, 60), st.none()),
        st.tuples(st.just("bad"), st.sets(st.integers(0, 5)), st.none()),
        st.tuples(st.just("time"), st.floats(0, 30), st.none()),
        st.tuples(st.just("route"), st.sets(st.integers(0, 5)), st.sampled_from([0, 50, 100])),
    ),
    max_size=40,
)


class InvariantTests(SynchronousTestCase):
    @given(st.sampled_from(list(PICKERS)), steps, st.integers(0, 5))
    @settings(max_examples=200, deadline=None)
    def test_picks_are_hosts_of_the_route_and_counts_add_up(
        self,
        name: str,
        steps: list[tuple[str, Any, Any]],
        seed: int,
    ) -> None:
        caller = Caller(name, 100, 100, 100, seed=seed)
        every = {host.address.port - 1: host for host in caller.hosts}
        for step, value, weight in steps:
            if step == "pick":
                seen = caller.calls(value)
                self.assertLessEqual(set(seen), {host.address.port - 1 for host in caller.hosts} | {-1})
            elif step == "bad":
                caller.fails = lambda number, bad=value: number in bad  # type: ignore[misc]
            elif step == "time":
                caller.now += value
                caller.policy.sweep(caller.now)
            else:
                for number in value:
                    every.setdefault(number, Host(HostAddress(1, number + 1)))
                    every[number].weight = weight
                caller.hosts = [every[number] for number in value]
                caller.policy.rebuild(caller.hosts, caller.now)
            states = caller.policy.states()
            self.assertEqual(set(states), set(caller.hosts))
            self.assertEqual(sum(state is HostState.EJECTED for state in states.values()), caller.policy.ejected)
            if caller.hosts:
                self.assertLess(caller.policy.ejected, len(caller.hosts))
            for host in caller.hosts:
                self.assertGreaterEqual(min(host.record.in_flight, host.record.stale, host.record.pain), 0)
