"""Statistics from the counts in the database."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from lars.db.calls import ModuleCalls
from lars.db.host_states import HostState, Watched
from lars.db.modules import Module
from lars.db.reports import HostSeenBy
from lars.host_condition import Condition
from lars.host_record import PLAIN, Drain, HostChange, HostRecord
from lars.web.live.host_stats import calls_a_second, host_stats, zone_calls
from tests.unit.web.fleet import A, B, C, D, M, watched


class CallsTests(SynchronousTestCase):
    def test_rate_takes_part_of_the_minute_before(self) -> None:
        minute = 1_700_000_040
        self.assertEqual(calls_a_second({minute - 60: (600, 60)}, minute + 3), (10.0, 1.0))
        self.assertEqual(calls_a_second({minute - 60: (600, 0), minute: (300, 0)}, minute + 33), (10.0, 0.0))
        self.assertEqual(calls_a_second({}, minute), (0.0, 0.0))


class HostStatsTests(SynchronousTestCase):
    def test_ejected_hosts_come_first_and_former_ones_last(self) -> None:
        hosts = host_stats(watched())
        self.assertEqual(
            [(h.host, h.state, h.in_route) for h in hosts],
            [(A, "ejected", True), (B, "silent", True), (C, "healthy", True), (D, "silent", False)],
        )

    def test_host_that_fails_is_not_healthy_though_its_callers_have_let_it_back(self) -> None:
        states = {A: HostState(2, 0, 90), B: HostState(2, 0, 90)}
        calls = {A: ModuleCalls(990, 10), B: ModuleCalls(989, 11)}
        hosts = host_stats(Watched(Module(M, "", "", (A, B)), states, calls))
        self.assertEqual([(h.host, h.state) for h in hosts], [(B, "failing"), (A, "healthy")])

    def test_host_without_weight_is_drained_whatever_its_callers_see(self) -> None:
        draining = HostChange(drain=Drain(9000)).applied(PLAIN)
        now = watched()
        records = {A: draining, B: HostRecord(weight=0), C: HostRecord(weight=1)}
        hosts = host_stats(replace(now, module=replace(now.module, records=records)))
        shown = {h.host: (h.state, h.record) for h in hosts if h.in_route}
        expected = {A: ("draining", draining), B: ("drained", records[B]), C: ("healthy", records[C])}
        self.assertEqual(shown, expected)

    def test_host_has_the_reason_of_a_caller_that_has_it_out(self) -> None:
        now = watched()
        seen = {
            A: (
                HostSeenBy(Condition.WARMING_UP, 3, "5%", 80),
                HostSeenBy(Condition.UNHEALTHY, 1, "http 503", 80),
            ),
            C: (HostSeenBy(Condition.EJECTED, 1, "3 of 3 recent calls failed", 80),),
        }
        shown = {h.host: (h.state, h.reason) for h in host_stats(replace(now, seen=seen))}
        self.assertEqual(shown[A], ("unhealthy", "http 503"))
        self.assertEqual(shown[C], ("healthy", ""), "no caller reports it as ejected any more")

    def test_calls_are_shares_of_the_whole_module(self) -> None:
        first = host_stats(watched())[0]
        self.assertEqual((first.calls, first.err, first.of), (40, 10, 100))
        self.assertEqual((first.callers, first.ejected_by, first.last_report), (2, 1, 90))

    def test_calls_of_zones_are_summed_where_hosts_have_zones(self) -> None:
        now = watched()
        self.assertEqual(zone_calls(host_stats(now)), {})
        records = {A: HostRecord(zone="b"), B: HostRecord(zone="b"), C: HostRecord(zone="a")}
        hosts = host_stats(replace(now, module=replace(now.module, records=records)))
        calls = {h.host: h.calls for h in hosts}
        expected = {"a": calls[C], "b": calls[A] + calls[B]} | ({"": calls[D]} if D in calls else {})
        self.assertEqual(zone_calls(hosts), expected)
        self.assertEqual(sum(expected.values()), 100)

    def test_module_without_hosts_has_none(self) -> None:
        self.assertEqual(host_stats(Watched(Module(M, "", "", ()), {}, {})), [])
