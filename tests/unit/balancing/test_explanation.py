"""What the policies say of their hosts: that the shares are those of the next calls, and the reasons."""

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.balancing.host import MAX_WHY, Host, HostExplanation, HostState
from lars.balancing.policies import NAMES, PICKERS, new_policy
from lars.route import HostAddress
from tests.unit.balancing.test_ejecting import Caller


def explained(caller: Caller) -> list[HostExplanation]:
    return caller.policy.explain(caller.now)


def call_until_ejected(caller: Caller) -> None:
    for _ in range(2000):
        if caller.policy.ejected:
            return
        caller.calls(1)
    raise AssertionError("no host was ejected")


def next_picks(caller: Caller, times: int = 3000) -> list[float]:
    """The shares of picks made at this very moment, with the same calls in flight."""
    seen: Counter[int] = Counter()
    for _ in range(times):
        host = caller.policy.pick(0, caller.now)
        if host is not None:
            seen[host.address.port] += 1
            host.record.in_flight -= 1
    return [seen[host.address.port] / times for host in caller.hosts]


class ClassicExplanationTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.caller = Caller("classic", 100, 100, 100)

    def test_healthy_hosts_take_turns(self) -> None:
        self.caller.calls(300)
        for host in explained(self.caller):
            self.assertEqual((host.state, host.why), (HostState.HEALTHY, "takes its turn"))
            self.assertAlmostEqual(host.share, 1 / 3)
            self.assertEqual((host.calls, host.failures, host.in_flight, host.latency), (100, 0, None, None))

    def test_ejected_host_gets_probes_until_its_time_is_over(self) -> None:
        self.caller.fails = lambda number: number == 0
        self.caller.calls(120)
        first, second, _third = explained(self.caller)
        self.assertEqual((first.state, first.next_probe), (HostState.EJECTED, None))
        self.assertEqual((first.calls, first.failures, first.failures_in_a_row), (15, 15, 15), "what ejected it")
        self.assertRegex(first.why, r"^failed: 1 call in 11 is a probe; restored in \d+ s$")
        self.assertAlmostEqual(first.share, 1 / 11)
        self.assertAlmostEqual(second.share, 5 / 11)

    def test_where_all_are_ejected_only_probes_have_a_share(self) -> None:
        self.caller.fails = lambda _number: True
        self.caller.calls(300)
        self.assertAlmostEqual(sum(host.share for host in explained(self.caller)), 1 / 11)


class EjectingExplanationTests(SynchronousTestCase):
    def test_shares_are_those_of_the_next_picks(self) -> None:
        for name in ("adaptive", "round_robin"):
            caller = Caller(name, 100, 200, 100, 50)
            caller.calls(400)
            for called, in_flight in zip(caller.hosts, (3, 0, 9, 1), strict=True):
                called.record.in_flight = in_flight
            for host, share in zip(explained(caller), next_picks(caller), strict=True):
                self.assertLess(abs(host.share - share), 0.03, f"{name} {host}")

    def test_shares_allow_for_ramps_and_recent_failures(self) -> None:
        for name in ("adaptive", "round_robin"):
            caller = Caller(name, 100, 100, 100, 100)
            caller.calls(400)
            caller.hosts[0].record.joined_at = caller.policy._ejection.clock - 1.0  # type: ignore[attr-defined]
            caller.hosts[1].record.pain = 2.0
            for host, share in zip(explained(caller), next_picks(caller), strict=True):
                self.assertLess(abs(host.share - share), 0.08, f"{name} {host}")

    def test_ejected_host_is_explained(self) -> None:
        for name in PICKERS:
            caller = Caller(name, 100, 100, 100, 100, 100)
            caller.calls(1000)
            caller.fails = lambda number: number == 2
            call_until_ejected(caller)
            host = explained(caller)[2]
            self.assertEqual((host.state, host.share), (HostState.EJECTED, 0.0), name)
            self.assertRegex(host.why, r"^failed while others did not; \d+ strikes?$")
            self.assertGreater(host.failures, 0)
            assert host.next_probe is not None
            self.assertLess(host.next_probe, 25)
            self.assertAlmostEqual(sum(each.share for each in explained(caller)), 1.0)

    def test_restored_host_is_on_its_ramp(self) -> None:
        caller = Caller("adaptive", 100, 100, 100)
        caller.calls(500)
        caller.fails = lambda number: number == 2
        call_until_ejected(caller)
        caller.fails = lambda _number: False
        while caller.policy.ejected:
            caller.calls(1)
        self.assertRegex(explained(caller)[2].why, r"^joined or restored 0\.\d s ago: 5% of its share$")

    def test_slow_host_is_named(self) -> None:
        caller = Caller("adaptive", 100, 100, 100)
        caller.cost = lambda number: 0.1 if number == 1 else 0.01
        caller.calls(900)
        slow = explained(caller)[1]
        self.assertRegex(slow.why, r"^slow: its calls take \d+\.\d times the module's$")
        self.assertGreater(slow.latency or 0.0, 0.0125)

    def test_drained_host_is_named(self) -> None:
        host = explained(Caller("round_robin", 100, 0))[1]
        self.assertEqual((host.share, host.why), (0.0, "drained: its weight is 0"))

    def test_shed_load_is_named_and_taken_from_the_shares(self) -> None:
        caller = Caller("adaptive", 100, 100, 100)
        caller.calls(300)
        caller.policy._shedding.admitted = 0.7  # type: ignore[attr-defined]
        self.assertEqual({host.why for host in explained(caller)}, {"load is shed: 70% of calls are admitted"})
        self.assertAlmostEqual(sum(host.share for host in explained(caller)), 0.7)

    def test_only_host_left_is_named(self) -> None:
        caller = Caller("adaptive", 100, 100)
        caller.calls(300)
        caller.fails = lambda number: number == 0
        call_until_ejected(caller)
        self.assertEqual(explained(caller)[1].why, "the only host that is not ejected")


class EveryPolicyTests(SynchronousTestCase):
    def test_route_without_hosts_has_nothing_to_explain(self) -> None:
        for name in NAMES:
            policy = new_policy(name, random.Random(1))
            self.assertEqual((policy.name, policy.explain(0.0)), (name, []))

    def test_hosts_can_be_taken_in_pieces(self) -> None:
        for name in NAMES:
            caller = Caller(name, *[100] * 7)
            pieces = [caller.policy.explain(0.0, first, 3) for first in (0, 3, 6, 9)]
            self.assertEqual([len(piece) for piece in pieces], [3, 3, 1, 0])
            self.assertEqual([host for piece in pieces for host in piece], explained(caller))

    @given(
        st.sampled_from(NAMES),
        st.lists(st.sampled_from([0, 50, 100, 1000]), min_size=1, max_size=6),
        st.lists(st.tuples(st.integers(1, 60), st.sets(st.integers(0, 5)), st.sampled_from([0.0, 0.01, 9e9]))),
    )
    @settings(max_examples=60, deadline=None)
    def test_it_changes_nothing_and_shares_are_shares(
        self, name: str, weights: list[int], phases: list[tuple[int, set[int], float]]
    ) -> None:
        caller = Caller(name, *weights)
        twin = Caller(name, *weights)
        for calls, failing, cost in phases:
            for each in (caller, twin):
                each.fails = lambda number, failing=failing: number in failing  # type: ignore[misc]
                each.cost = lambda _number, cost=cost: cost  # type: ignore[misc]
            found = explained(caller)
            self.assertLessEqual(sum(host.share for host in found), 1.000001)
            states = {host.address: state for host, state in caller.policy.states().items()}
            self.assertEqual({host.address: host.state for host in found}, states)
            for host in found:
                self.assertGreaterEqual(host.share, 0)
                self.assertLessEqual(len(host.why), MAX_WHY)
                self.assertTrue(host.why.isascii())
            self.assertEqual(caller.calls(calls), twin.calls(calls))

    def test_hosts_keep_their_order(self) -> None:
        for name in NAMES:
            caller = Caller(name, 100, 100)
            caller.hosts.append(Host(HostAddress(1, 9)))
            caller.policy.rebuild(caller.hosts[1:], 1.0)
            addresses = [host.address for host in caller.hosts[1:]]
            self.assertEqual([host.address for host in explained(caller)], addresses, name)
