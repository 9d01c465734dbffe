"""A process's own choice: the short way keeps the policy's rule, and loses and doubles no call."""

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.balancing.gathered import Gathered
from lars.balancing.local_choice import LocalChoice, LocalHost
from lars.balancing.policies import NAMES
from lars.route import HostAddress


def choice_of(hosts: list[LocalHost], policy: str = "adaptive") -> LocalChoice[LocalHost]:
    choice: LocalChoice[LocalHost] = LocalChoice(policy, random.Random(1))
    choice.rebuild(hosts, 0.0)
    return choice


def hosts_of(number: int, *weights: int) -> list[LocalHost]:
    return [LocalHost(HostAddress(1, n + 1), weights[n] if weights else 100) for n in range(number)]


class QuickTests(SynchronousTestCase):
    def test_short_way_takes_the_cheaper_of_two_however_busy_and_slow_they_are(self) -> None:
        hosts = hosts_of(4)
        choice = choice_of(hosts)
        for host, in_flight, penalty in zip(hosts, (0, 3, 7, 1), (1.0, 1.0, 1.0, 8.0), strict=True):
            host.record.in_flight, host.record.penalty = in_flight, penalty
        seen: Counter[int] = Counter()
        for _ in range(10_000):
            host = choice.quick()
            host.record.in_flight -= 1
            seen[host.address.port] += 1
        # Costs 1, 4, 8, 16: against one of three others, a host keeps its turns or takes those of dearer ones.
        for port, share in ((1, 6 / 12), (2, 4 / 12), (3, 2 / 12), (4, 0.0)):
            self.assertLess(abs(seen[port] / 10_000 - share), 0.02, port)

    def test_weights_scale_the_calls_under_way(self) -> None:
        hosts = hosts_of(3, 50, 100, 200)
        choice = choice_of(hosts)
        for _ in range(70):
            choice.quick()
        in_flight = [host.record.in_flight for host in hosts]
        for calls, share in zip(in_flight, (10, 20, 40), strict=True):
            self.assertLess(abs(calls - share), 5, in_flight)

    def test_processes_start_at_random_hosts(self) -> None:
        for policy in NAMES:
            firsts = set()
            for seed in range(60):
                choice: LocalChoice[LocalHost] = LocalChoice(policy, random.Random(seed))
                choice.rebuild(hosts_of(3), 0.0)
                host = choice.pick(0, 0.0)
                assert host is not None
                firsts.add(host.address.port)
            self.assertEqual(firsts, {1, 2, 3}, policy)

    def test_short_way_ends_with_a_failure_and_when_an_ejected_host_may_be_due(self) -> None:
        hosts = hosts_of(5)
        choice = choice_of(hosts)
        now = 0.0
        self.assertGreater(choice.quick_until, now)
        choice.report(hosts[0], True, 0.0, now)
        self.assertLess(choice.quick_until, now)
        choice.take_gathered()
        probed: list[float] = []
        quick = 0
        for _ in range(3_000):
            now += 0.005
            if now < choice.quick_until:
                host = choice.quick()
                quick += 1
            else:
                picked = choice.pick(0, now)
                assert picked is not None
                host = picked
            if host is hosts[0]:
                probed.append(now)
                choice.report(host, True, 0.0, now)
            elif now >= choice.quick_until or not choice.gather(host.address, 0.001):
                choice.report(host, False, 0.001, now)
        self.assertLess(4.5, probed[0])
        self.assertLess(probed[0], 8.0)
        self.assertLess(len(probed), 4)
        self.assertGreater(quick, 2_000)

    def test_evidence_of_the_short_way_is_that_of_the_long_one(self) -> None:
        hosts = hosts_of(3)
        choice = choice_of(hosts)
        for n in range(400):
            now = n * 0.01
            host = choice.quick() if now < choice.quick_until else choice.pick(0, now)
            assert host is not None
            if not choice.gather(host.address, 0.05 if host is hosts[2] else 0.01):
                choice.report(host, False, 0.05 if host is hosts[2] else 0.01, now)
        choice.look(4.0)
        self.assertGreater(hosts[2].record.penalty, 2.0)
        self.assertEqual([host.record.penalty for host in hosts[:2]], [1.0, 1.0])
        self.assertGreater(hosts[0].record.good, 50)
        self.assertEqual([host.record.in_flight for host in hosts], [0, 0, 0])

    def test_calls_that_are_never_reported_are_forgotten(self) -> None:
        hosts = hosts_of(2)
        choice = choice_of(hosts)
        for n in range(6_000):
            now = n * 0.01
            if now >= choice.quick_until:
                choice.pick(0, now)
            else:
                choice.quick()
        self.assertLess(max(host.record.in_flight for host in hosts), 300)

    def test_results_that_are_no_numbers_are_left_to_the_long_way(self) -> None:
        hosts = hosts_of(2)
        choice = choice_of(hosts)
        for cost in (float("nan"), float("inf"), -1.0):
            self.assertFalse(choice.gather(hosts[0].address, cost))
        self.assertRaises(TypeError, choice.gather, hosts[0].address, "0.1")
        self.assertFalse(choice.gather(HostAddress(9, 9), None))
        self.assertEqual((choice.gathered, choice.take_gathered()), (0, {}))


class CountTests(SynchronousTestCase):
    @given(
        st.sampled_from(NAMES),
        st.lists(
            st.one_of(
                st.tuples(st.just("call"), st.integers(1, 30), st.sampled_from([None, 0.01, 1.0])),
                st.tuples(st.just("fail"), st.integers(1, 4), st.none()),
                st.tuples(st.just("route"), st.sets(st.integers(0, 4), min_size=1), st.none()),
                st.tuples(st.just("time"), st.floats(0, 5), st.none()),
                st.tuples(st.just("take"), st.none(), st.none()),
            ),
            max_size=30,
        ),
    )
    @settings(max_examples=200, deadline=None)
    def test_every_success_is_taken_once(self, policy: str, steps: list) -> None:  # type: ignore[type-arg]
        every = hosts_of(5)
        choice = choice_of(every, policy)
        now = 0.0
        made: Counter[HostAddress] = Counter()
        taken: Counter[HostAddress] = Counter()
        for step, value, cost in steps:
            if step in ("call", "fail"):
                for _ in range(value):
                    host = choice.quick() if now < choice.quick_until else choice.pick(0, now)
                    if host is None:
                        continue
                    if step == "fail":
                        self.assertTrue(choice.report(host, True, 0.0, now))
                        continue
                    made[host.address] += 1
                    if now >= choice.quick_until or not choice.gather(host.address, cost):
                        self.assertFalse(choice.report(host, False, cost or 0.0, now))
                    self.assertGreaterEqual(host.record.in_flight if policy != "classic" else 0, 0)
            elif step == "route":
                choice.rebuild([every[n] for n in value], now)
            elif step == "time":
                now += value
            else:
                self.assertEqual(choice.gathered, (made - taken).total())
                taken.update({address: gathered.calls for address, gathered in choice.take_gathered().items()})
        taken.update({address: gathered.calls for address, gathered in choice.take_gathered().items()})
        self.assertEqual(taken, made)

    def test_costs_are_added_up(self) -> None:
        hosts = hosts_of(2)
        choice = choice_of(hosts)
        choice.gather(hosts[0].address, 0.5)
        choice.report(hosts[0], False, 0.25, 0.0)
        choice.gather(hosts[0].address, None)
        self.assertEqual(choice.take_gathered(), {hosts[0].address: Gathered(3, 0.75, 2)})
