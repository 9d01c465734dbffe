"""Calls are derived from the counters of a C++ agent, which restart with each window."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.report_rows import pack_host
from lars.reporter.counter_deltas import FORGET_AFTER, CounterDeltas
from lars.route import ModuleId

M = ModuleId(1, 1)
H = pack_host(10, 80)


class CounterDeltasTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.deltas = CounterDeltas(0)

    def derived(self, *counters: tuple[int, int]) -> list[tuple[int, int]]:
        return [self.deltas.of(9, M)(H, succ, err) for succ, err in counters]

    def test_first_value_is_the_base_from_which_nothing_is_derived(self) -> None:
        self.assertEqual(self.derived((100, 3), (110, 4), (110, 4)), [(0, 0), (10, 1), (0, 0)])

    def test_counter_that_fell_has_restarted_from_0(self) -> None:
        self.assertEqual(self.derived((100, 3), (4, 0), (6, 1), (7, 0)), [(0, 0), (4, 0), (2, 1), (7, 0)])

    def test_hosts_modules_and_callers_have_counters_of_their_own(self) -> None:
        self.derived((100, 0))
        for caller, module, host in ((8, M, H), (9, ModuleId(1, 2), H), (9, M, pack_host(10, 81))):
            self.assertEqual(self.deltas.of(caller, module)(host, 150, 0), (0, 0))
        self.assertEqual(self.derived((101, 0)), [(1, 0)])

    def test_counter_that_is_not_reported_is_forgotten_and_others_are_kept(self) -> None:
        other = pack_host(11, 80)
        for host in (H, other):
            self.deltas.of(9, M)(host, 100, 0)
        for times in (1, 2):
            self.deltas.expire(times * FORGET_AFTER)
            self.assertEqual(self.derived((100 + times, 0)), [(1, 0)])
        self.assertEqual(self.deltas.of(9, M)(other, 200, 0), (0, 0))
