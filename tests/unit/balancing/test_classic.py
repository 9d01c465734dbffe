"""The classic rules, what holds after any sequence of calls, and that choices are those of earlier versions."""

import json
import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.balancing.classic import Classic, ClassicSettings, failure_weight
from lars.balancing.host import Host, HostState, StateChange
from lars.route import HostAddress
from tests.unit.balancing.draws import FirstHost
from tests.unit.balancing.recorded import ADDRESSES as RECORDED
from tests.unit.balancing.recorded import life

A, B, C = (HostAddress(0x7F000001, port) for port in (9001, 9002, 9003))


class Hosts:
    """A policy and its hosts by address, as a caller keeps them."""

    def __init__(self, *addresses: HostAddress, **numbers: float) -> None:
        self.policy: Classic[Host] = Classic(ClassicSettings(**numbers), FirstHost())  # type: ignore[arg-type]
        self.hosts: dict[HostAddress, Host] = {}
        self.update(addresses, 0.0)

    def update(self, addresses: object, now: float) -> None:
        wanted: list[HostAddress] = list(addresses)  # type: ignore[call-overload]
        self.hosts = {address: self.hosts.get(address) or Host(address) for address in wanted}
        self.policy.rebuild(self.hosts.values(), now)

    def pick(self) -> HostAddress | None:
        host = self.policy.pick(0, 0.0)
        return host.address if host is not None else None

    def picks(self, times: int) -> list[HostAddress | None]:
        return [self.pick() for _ in range(times)]

    def succeed(self, address: HostAddress, times: int = 1, now: float = 0.0, cost: float = 0.0) -> None:
        for _ in range(times):
            self.policy.report(self.hosts[address], False, cost, now)

    def fail(self, address: HostAddress, times: int = 15, now: float = 0.0, cost: float = 0.0) -> None:
        for _ in range(times):
            self.policy.report(self.hosts[address], True, cost, now)

    def ejected(self, address: HostAddress) -> bool:
        return self.policy.states()[self.hosts[address]] is HostState.EJECTED

    def counts(self, address: HostAddress) -> tuple[int, ...]:
        record = self.hosts[address].record
        return (record.vsucc, record.verr, record.rsucc, record.rerr, record.contin_succ, record.contin_err)


class PickTests(SynchronousTestCase):
    def test_idle_hosts_are_chosen_in_turn(self) -> None:
        self.assertEqual(Hosts(A, B, C).picks(6), [A, B, C, A, B, C])

    def test_first_turn_is_that_of_a_random_host(self) -> None:
        firsts = set()
        for seed in range(100):
            policy: Classic[Host] = Classic(ClassicSettings(), random.Random(seed))
            hosts = [Host(address) for address in (A, B, C)]
            policy.rebuild(hosts, 0.0)
            picked = [policy.pick(0, 0.0) for _ in range(6)]
            first = hosts.index(picked[0])  # type: ignore[arg-type]
            self.assertEqual(picked, [*hosts[first:], *hosts[:first]] * 2)
            self.assertEqual(list(policy.states()), hosts)
            firsts.add(first)
        self.assertEqual(firsts, {0, 1, 2})

    def test_turns_start_anew_at_a_random_host_once_the_route_was_empty(self) -> None:
        policy: Classic[Host] = Classic(ClassicSettings(), random.Random(1))
        firsts = set()
        for _ in range(100):
            policy.rebuild([], 0.0)
            policy.rebuild([Host(address) for address in (A, B, C)], 0.0)
            host = policy.pick(0, 0.0)
            assert host is not None
            firsts.add(host.address)
        self.assertEqual(firsts, {A, B, C})

    def test_overloaded_host_gets_every_eleventh_request(self) -> None:
        hosts = Hosts(A, B)
        hosts.fail(A)
        self.assertEqual(hosts.picks(22), ([B] * 10 + [A]) * 2)

    def test_all_overloaded_answers_overload_but_for_probes(self) -> None:
        hosts = Hosts(A, B)
        hosts.fail(A)
        hosts.fail(B)
        self.assertEqual(hosts.picks(22), [None] * 10 + [A] + [None] * 10 + [B])

    def test_no_hosts_gives_none(self) -> None:
        self.assertEqual(Hosts().picks(20), [None] * 20)


class ReportTests(SynchronousTestCase):
    def test_trip_points_are_those_of_the_design(self) -> None:
        for successes, failures in ((10, 22), (20, 23), (90, 31), (200, 43), (500, 76)):
            hosts = Hosts(A, contin_err_limit=10**9)
            for _ in range(successes):
                hosts.succeed(A, now=0.0)
            hosts.fail(A, failures - 1)
            self.assertFalse(hosts.ejected(A), (successes, failures))
            hosts.fail(A, 1)
            self.assertTrue(hosts.ejected(A), (successes, failures))

    def test_failures_in_a_row_set_aside(self) -> None:
        hosts = Hosts(A, contin_err_limit=3, err_rate=1)
        hosts.fail(A, 2)
        hosts.succeed(A, now=0.0)
        hosts.fail(A, 2)
        self.assertFalse(hosts.ejected(A))
        hosts.fail(A, 1)
        self.assertTrue(hosts.ejected(A))

    def test_slow_failure_weighs_its_tenths_of_a_second_up_to_fifty(self) -> None:
        for cost_ms, weight in ((0, 1), (99, 1), (100, 1), (250, 2), (5_000, 50), (10**6, 50)):
            hosts = Hosts(A, err_rate=1)
            hosts.fail(A, 1, cost=cost_ms / 1000)
            self.assertEqual((hosts.counts(A)[1], failure_weight(cost_ms / 1000)), (weight, weight), cost_ms)

    def test_cost_of_a_success_changes_nothing(self) -> None:
        hosts = Hosts(A)
        hosts.succeed(A, cost=60.0)
        self.assertEqual(hosts.counts(A)[:2], (181, 0))

    def test_successes_bring_an_overloaded_host_back(self) -> None:
        hosts = Hosts(A, B)
        hosts.fail(A)
        for _ in range(5):  # 5 of 10 is not more than succ_rate
            hosts.succeed(A, now=0.0)
        self.assertTrue(hosts.ejected(A))
        hosts.succeed(A, now=0.0)
        self.assertFalse(hosts.ejected(A))
        self.assertEqual(hosts.counts(A)[0], 180)

    def test_successes_in_a_row_bring_back_where_the_rate_does_not(self) -> None:
        hosts = Hosts(A, succ_rate=1, contin_succ_limit=4)
        hosts.fail(A)
        for _ in range(3):
            hosts.succeed(A, now=0.0)
        hosts.fail(A, 1)
        for _ in range(3):
            hosts.succeed(A, now=0.0)
        self.assertTrue(hosts.ejected(A))
        hosts.succeed(A, now=0.0)
        self.assertFalse(hosts.ejected(A))

    def test_change_holds_the_counts_that_decided(self) -> None:
        hosts = Hosts(A)
        hosts.fail(A)
        evidence = "vsucc 180 verr 15, window 0 ok 15 failed, in a row 0 ok 15 failed"
        change = StateChange(hosts.hosts[A], HostState.EJECTED, "errors", evidence)
        self.assertEqual(hosts.policy.sweep(0.0), [change])
        self.assertEqual(hosts.policy.sweep(0.0), [])


class SweepTests(SynchronousTestCase):
    def test_silence_takes_an_overloaded_host_back(self) -> None:
        hosts = Hosts(A)
        hosts.fail(A, now=0.0)
        hosts.policy.sweep(14.9)
        self.assertTrue(hosts.ejected(A))
        hosts.policy.sweep(15.0)
        self.assertFalse(hosts.ejected(A))

    def test_window_of_mostly_failures_sets_aside(self) -> None:
        hosts = Hosts(A)
        hosts.fail(A, 7)
        for _ in range(3):
            hosts.succeed(A, now=1.0)
        hosts.policy.sweep(15.0)
        self.assertTrue(hosts.ejected(A))

    def test_window_below_the_rate_starts_anew(self) -> None:
        hosts = Hosts(A)
        hosts.fail(A, 6)
        for _ in range(4):
            hosts.succeed(A, now=1.0)
        hosts.policy.sweep(15.0)
        self.assertFalse(hosts.ejected(A))
        self.assertEqual(hosts.counts(A)[:4], (180, 0, 0, 0))

    def test_window_without_calls_starts_anew(self) -> None:
        hosts = Hosts(A)
        hosts.policy.sweep(100.0)
        self.assertFalse(hosts.ejected(A))

    def test_report_after_the_timeout_runs_the_windows_too(self) -> None:
        hosts = Hosts(A)
        hosts.fail(A)
        hosts.fail(A, 1, now=15.0)
        self.assertFalse(hosts.ejected(A))


class RebuildTests(SynchronousTestCase):
    def test_kept_host_keeps_state_and_counts(self) -> None:
        hosts = Hosts(A, B)
        hosts.fail(A)
        hosts.succeed(B, now=0.0)
        hosts.update([A, B, C], 1.0)
        self.assertTrue(hosts.ejected(A))
        self.assertEqual(hosts.counts(B)[0], 181)

    def test_new_host_joins_at_the_back(self) -> None:
        hosts = Hosts(A, B)
        hosts.update([C, A, B], 1.0)
        self.assertEqual(hosts.picks(3), [A, B, C])

    def test_removed_host_is_never_chosen(self) -> None:
        hosts = Hosts(A, B)
        hosts.fail(A)
        hosts.update([B], 1.0)
        self.assertEqual(set(hosts.picks(50)), {B})


ADDRESSES = [HostAddress(0x0A000000 + n, 80) for n in range(6)]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("pick"), st.integers(1, 30)),
        st.tuples(st.just("fail"), st.sampled_from(ADDRESSES), st.integers(1, 25), st.sampled_from([0, 150, 9000])),
        st.tuples(st.just("succeed"), st.sampled_from(ADDRESSES), st.integers(1, 25)),
        st.tuples(st.just("sweep"), st.floats(0, 20)),
        st.tuples(st.just("update"), st.sets(st.sampled_from(ADDRESSES))),
    ),
    max_size=40,
)


class InvariantTests(SynchronousTestCase):
    """Whatever is called, in whatever order."""

    def check(self, hosts: Hosts, route: set[HostAddress]) -> None:
        states = hosts.policy.states()
        self.assertEqual({host.address for host in states}, route)
        ejected = [host for host, state in states.items() if state is HostState.EJECTED]
        self.assertEqual(len(ejected), hosts.policy.ejected)
        for address in route:
            self.assertGreaterEqual(min(hosts.counts(address)), 0)

    @given(steps)
    @settings(max_examples=150, deadline=None)
    def test_states_are_those_of_the_route_and_silence_heals(self, steps: list[tuple]) -> None:  # type: ignore[type-arg]
        hosts, route, now = Hosts(*ADDRESSES[:3]), set(ADDRESSES[:3]), 0.0
        for step, *arguments in steps:
            if step == "pick":
                self.assertLessEqual(set(hosts.picks(arguments[0])) - {None}, route)
            elif step == "sweep":
                now += arguments[0]
                hosts.policy.sweep(now)
            elif step == "update":
                route = arguments[0]
                hosts.update(route, now)
            elif arguments[0] in route:
                cost = arguments[2] / 1000 if step == "fail" else 0.0
                (hosts.fail if step == "fail" else hosts.succeed)(arguments[0], arguments[1], now, cost)
            self.check(hosts, route)
        hosts.policy.sweep(now + 16.0)
        hosts.policy.sweep(now + 32.0)  # a window of failures that the first sweep ejected for has its own timeout
        self.assertEqual(hosts.policy.ejected, 0)

    @given(st.integers(2, 8), st.sets(st.integers(0, 7)), st.integers(1, 200))
    @settings(max_examples=60, deadline=None)
    def test_no_idle_host_starves_and_probes_keep_their_rate(self, number: int, bad: set[int], times: int) -> None:
        addresses = [HostAddress(1, 1 + n) for n in range(number)]
        hosts = Hosts(*addresses)
        for n in bad:
            if n < number:
                hosts.fail(addresses[n])
        ejected = {address for address in addresses if hosts.ejected(address)}
        last_seen: dict[HostAddress, int] = {}
        idle_turns = probes = 0
        for turn in range(1, times + 1):
            address = hosts.pick()
            if address is None:
                continue
            if address in ejected:
                probes += 1
                self.assertEqual(turn % 11, 0)
                continue
            idle_turns += 1
            if address in last_seen:
                self.assertEqual(idle_turns - last_seen[address], number - len(ejected))
            last_seen[address] = idle_turns
        self.assertEqual(probes, times // 11 if ejected else 0)


class RecordedTests(SynchronousTestCase):
    def test_choices_and_changes_are_those_of_the_first_release(self) -> None:
        recorded = json.loads((Path(__file__).parent / "classic_choices.json").read_text())
        for seed, expected in recorded.items():
            hosts, picks, changes = Hosts(), list[int](), list[list[object]]()
            for step in life(int(seed), 4000):
                if step.what == "route":
                    hosts.update(step.addresses, step.now)
                elif step.what == "pick":
                    address = hosts.pick()
                    picks.append(-1 if address is None else RECORDED.index(address))
                elif step.what == "report" and step.address is not None:
                    hosts.policy.report(hosts.hosts[step.address], step.failed, step.cost_ms / 1000, step.now)
                elif step.what == "sweep":
                    for change in hosts.policy.sweep(step.now):
                        changes.append([len(picks), RECORDED.index(change.host.address), change.reason])
            self.assertEqual({"picks": picks, "changes": changes}, expected, seed)
