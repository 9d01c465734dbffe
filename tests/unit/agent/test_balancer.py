"""The balancer's rules, and what holds after any sequence of calls."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.agent.balancer import Balancer, BalancerSettings, Host
from lars.route import HostAddress

A, B, C = (HostAddress(0x7F000001, port) for port in (9001, 9002, 9003))


def balancer_of(*addresses: HostAddress, **settings: float) -> Balancer[Host]:
    balancer = Balancer(BalancerSettings(**settings), Host)  # type: ignore[arg-type]
    balancer.update(addresses, 0.0)
    return balancer


def chosen(balancer: Balancer[Host], times: int) -> list[HostAddress | None]:
    hosts = [balancer.choose() for _ in range(times)]
    return [host.address if host is not None else None for host in hosts]


def fail(balancer: Balancer[Host], address: HostAddress, times: int = 15, now: float = 0.0, cost_ms: int = 0) -> None:
    for _ in range(times):
        balancer.report(address, True, cost_ms, now)


class ChooseTests(SynchronousTestCase):
    def test_idle_hosts_are_chosen_in_turn(self) -> None:
        self.assertEqual(chosen(balancer_of(A, B, C), 6), [A, B, C, A, B, C])

    def test_overloaded_host_gets_every_eleventh_request(self) -> None:
        balancer = balancer_of(A, B)
        fail(balancer, A)
        self.assertEqual(chosen(balancer, 22), ([B] * 10 + [A]) * 2)

    def test_all_overloaded_answers_overload_but_for_probes(self) -> None:
        balancer = balancer_of(A, B)
        fail(balancer, A)
        fail(balancer, B)
        self.assertEqual(chosen(balancer, 22), [None] * 10 + [A] + [None] * 10 + [B])

    def test_no_hosts_gives_none(self) -> None:
        self.assertEqual(chosen(balancer_of(), 20), [None] * 20)


class ReportTests(SynchronousTestCase):
    def test_trip_points_are_those_of_the_design(self) -> None:
        for successes, failures in ((10, 22), (20, 23), (90, 31), (200, 43), (500, 76)):
            balancer = balancer_of(A, contin_err_limit=10**9)
            for _ in range(successes):
                balancer.report(A, False, 0, 0.0)
            fail(balancer, A, failures - 1)
            self.assertFalse(balancer.hosts[A].overloaded, (successes, failures))
            fail(balancer, A, 1)
            self.assertTrue(balancer.hosts[A].overloaded, (successes, failures))

    def test_failures_in_a_row_set_aside(self) -> None:
        balancer = balancer_of(A, contin_err_limit=3, err_rate=1)
        fail(balancer, A, 2)
        balancer.report(A, False, 0, 0.0)
        fail(balancer, A, 2)
        self.assertFalse(balancer.hosts[A].overloaded)
        fail(balancer, A, 1)
        self.assertTrue(balancer.hosts[A].overloaded)

    def test_slow_failure_weighs_its_tenths_of_a_second_up_to_fifty(self) -> None:
        for cost_ms, weight in ((0, 1), (99, 1), (100, 1), (250, 2), (5_000, 50), (10**6, 50)):
            balancer = balancer_of(A, err_rate=1)
            fail(balancer, A, 1, cost_ms=cost_ms)
            self.assertEqual(balancer.hosts[A].verr, weight, cost_ms)

    def test_cost_of_a_success_changes_nothing(self) -> None:
        balancer = balancer_of(A)
        balancer.report(A, False, 60_000, 0.0)
        self.assertEqual((balancer.hosts[A].vsucc, balancer.hosts[A].verr), (181, 0))

    def test_successes_bring_an_overloaded_host_back(self) -> None:
        balancer = balancer_of(A, B)
        fail(balancer, A)
        for _ in range(5):  # 5 of 10 is not more than succ_rate
            balancer.report(A, False, 0, 0.0)
        self.assertTrue(balancer.hosts[A].overloaded)
        balancer.report(A, False, 0, 0.0)
        self.assertFalse(balancer.hosts[A].overloaded)
        self.assertEqual(balancer.hosts[A].vsucc, 180)

    def test_successes_in_a_row_bring_back_where_the_rate_does_not(self) -> None:
        balancer = balancer_of(A, succ_rate=1, contin_succ_limit=4)
        fail(balancer, A)
        for _ in range(3):
            balancer.report(A, False, 0, 0.0)
        fail(balancer, A, 1)
        for _ in range(3):
            balancer.report(A, False, 0, 0.0)
        self.assertTrue(balancer.hosts[A].overloaded)
        balancer.report(A, False, 0, 0.0)
        self.assertFalse(balancer.hosts[A].overloaded)

    def test_report_of_a_stranger_is_refused(self) -> None:
        self.assertFalse(balancer_of(A).report(B, True, 0, 0.0))

    def test_change_tells_the_counts_that_decided(self) -> None:
        balancer = balancer_of(A)
        fail(balancer, A)
        (change,) = balancer.changes
        self.assertEqual((change.address, change.overloaded, change.reason), (A, True, "errors"))
        self.assertEqual((change.vsucc, change.verr, change.rerr, change.contin_err), (180, 15, 15, 15))


class SweepTests(SynchronousTestCase):
    def test_silence_takes_an_overloaded_host_back(self) -> None:
        balancer = balancer_of(A)
        fail(balancer, A, now=0.0)
        balancer.sweep(14.9)
        self.assertTrue(balancer.hosts[A].overloaded)
        balancer.sweep(15.0)
        self.assertFalse(balancer.hosts[A].overloaded)

    def test_window_of_mostly_failures_sets_aside(self) -> None:
        balancer = balancer_of(A)
        fail(balancer, A, 7)
        for _ in range(3):
            balancer.report(A, False, 0, 1.0)
        balancer.sweep(15.0)
        self.assertTrue(balancer.hosts[A].overloaded)

    def test_window_below_the_rate_starts_anew(self) -> None:
        balancer = balancer_of(A)
        fail(balancer, A, 6)
        for _ in range(4):
            balancer.report(A, False, 0, 1.0)
        balancer.sweep(15.0)
        host = balancer.hosts[A]
        self.assertFalse(host.overloaded)
        self.assertEqual((host.vsucc, host.verr, host.rsucc, host.rerr), (180, 0, 0, 0))

    def test_window_without_calls_starts_anew(self) -> None:
        balancer = balancer_of(A)
        balancer.sweep(100.0)
        self.assertFalse(balancer.hosts[A].overloaded)

    def test_report_after_the_timeout_runs_the_windows_too(self) -> None:
        balancer = balancer_of(A)
        fail(balancer, A)
        balancer.report(A, True, 0, 15.0)
        self.assertFalse(balancer.hosts[A].overloaded)


class UpdateTests(SynchronousTestCase):
    def test_kept_host_keeps_state_and_counts(self) -> None:
        balancer = balancer_of(A, B)
        fail(balancer, A)
        balancer.report(B, False, 0, 0.0)
        balancer.update([A, B, C], 1.0)
        self.assertTrue(balancer.hosts[A].overloaded)
        self.assertEqual(balancer.hosts[B].vsucc, 181)

    def test_new_host_joins_at_the_back(self) -> None:
        balancer = balancer_of(A, B)
        balancer.update([C, A, B], 1.0)
        self.assertEqual(chosen(balancer, 3), [A, B, C])

    def test_removed_host_is_never_chosen(self) -> None:
        balancer = balancer_of(A, B)
        fail(balancer, A)
        balancer.update([B], 1.0)
        self.assertEqual(set(chosen(balancer, 50)), {B})
        self.assertFalse(balancer.report(A, True, 0, 1.0))


ADDRESSES = [HostAddress(0x0A000000 + n, 80) for n in range(6)]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("choose"), st.integers(1, 30)),
        st.tuples(st.just("fail"), st.sampled_from(ADDRESSES), st.integers(1, 25), st.sampled_from([0, 150, 9000])),
        st.tuples(st.just("succeed"), st.sampled_from(ADDRESSES), st.integers(1, 25)),
        st.tuples(st.just("sweep"), st.floats(0, 20)),
        st.tuples(st.just("update"), st.sets(st.sampled_from(ADDRESSES))),
    ),
    max_size=40,
)


class InvariantTests(SynchronousTestCase):
    """Whatever is called, in whatever order."""

    def check(self, balancer: Balancer[Host], route: set[HostAddress]) -> None:
        idle, overloaded = list(balancer._idle), list(balancer._overloaded)
        self.assertEqual(sorted(h.address for h in idle + overloaded), sorted(route))
        self.assertEqual(set(balancer.hosts), route)
        self.assertTrue(all(h.overloaded for h in overloaded))
        self.assertFalse(any(h.overloaded for h in idle))
        for host in balancer.hosts.values():
            counts = (host.vsucc, host.verr, host.rsucc, host.rerr, host.contin_succ, host.contin_err)
            self.assertGreaterEqual(min(counts), 0)

    @given(steps)
    @settings(max_examples=150, deadline=None)
    def test_every_host_is_in_one_queue_and_the_gone_are_gone(self, steps: list[tuple]) -> None:  # type: ignore[type-arg]
        balancer, route, now = balancer_of(*ADDRESSES[:3]), set(ADDRESSES[:3]), 0.0
        for step, *arguments in steps:
            if step == "choose":
                self.assertLessEqual(set(chosen(balancer, arguments[0])) - {None}, route)
            elif step == "fail":
                fail(balancer, arguments[0], arguments[1], now, arguments[2])
            elif step == "succeed":
                for _ in range(arguments[1]):
                    balancer.report(arguments[0], False, 0, now)
            elif step == "sweep":
                now += arguments[0]
                balancer.sweep(now)
            else:
                route = arguments[0]
                balancer.update(route, now)
            self.check(balancer, route)
        balancer.sweep(now + 16.0)
        balancer.sweep(now + 32.0)  # a window of failures set aside at the first sweep has its own timeout
        self.assertEqual(balancer.overloaded_count, 0, "silence heals")

    @given(st.integers(2, 8), st.sets(st.integers(0, 7)), st.integers(1, 200))
    @settings(max_examples=60, deadline=None)
    def test_no_idle_host_starves_and_probes_keep_their_rate(self, hosts: int, bad: set[int], times: int) -> None:
        addresses = [HostAddress(1, 1 + n) for n in range(hosts)]
        balancer = balancer_of(*addresses)
        for n in bad:
            if n < hosts:
                fail(balancer, addresses[n])
        overloaded = {h for h in balancer.hosts.values() if h.overloaded}
        last_seen: dict[Host, int] = {}
        idle_turns = probes = 0
        for turn in range(1, times + 1):
            host = balancer.choose()
            if host is None:
                continue
            if host in overloaded:
                probes += 1
                self.assertEqual(turn % 11, 0)
                continue
            idle_turns += 1
            if host in last_seen:
                self.assertEqual(idle_turns - last_seen[host], hosts - len(overloaded))
            last_seen[host] = idle_turns
        self.assertEqual(probes, times // 11 if overloaded else 0)
