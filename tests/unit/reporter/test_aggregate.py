"""What a report means."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.report_rows import Rows, pack_host
from lars.errors import InvalidRoute
from lars.reporter.aggregate import Malformed, Taken, add_up, check, timestamp
from lars.reporter.counter_deltas import FORGET_AFTER, CounterDeltas
from lars.route import ModuleId
from lars.wire.lars_pb2 import ReportStatusRequest
from tests.unit.reporter.reports import cpp_report, report

NOW = 1_795_362_600.5
TS = 1_795_362_599
MINUTE = 1_795_362_540
H = pack_host(10, 80)


class TimestampTests(SynchronousTestCase):
    def test_ts_more_than_an_hour_off_is_that_of_the_arrival(self) -> None:
        for ts, expected in (
            (int(NOW), int(NOW)),
            (int(NOW) - 3599, int(NOW) - 3599),
            (int(NOW) + 3600, int(NOW) + 3600),
            (int(NOW) - 3601, int(NOW)),
            (int(NOW) + 3602, int(NOW)),
            (int(NOW) - 31_536_000, int(NOW)),
            (0, int(NOW)),
            (2**32 - 1, int(NOW)),
        ):
            self.assertEqual(timestamp(ts, NOW), expected, ts)


class CheckTests(SynchronousTestCase):
    def test_modules_that_cannot_exist_are_refused(self) -> None:
        for modid, cmdid in ((-1, 1), (1, -1)):
            self.assertRaises(InvalidRoute, check, report(modid=modid, cmdid=cmdid))
        self.assertRaises(InvalidRoute, check, report((10, 80, 1, 0, False), modid=0, cmdid=0))

    def test_report_that_only_says_that_the_caller_lives_is_none_of_these(self) -> None:
        check(report(modid=0, cmdid=0))

    def test_run_without_numbers_is_refused(self) -> None:
        self.assertRaises(Malformed, check, report((10, 80, 1, 0, False), seq=0))
        check(cpp_report((10, 80, 1, 0, False)))


class AddUpTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.rows = Rows()
        self.counters = CounterDeltas(0)

    def add(self, request: ReportStatusRequest, ts: int = TS) -> Taken:
        return add_up(request, ts, self.rows, self.counters)

    def test_results_become_a_status_and_the_calls_of_their_minute(self) -> None:
        self.assertEqual(self.add(report((10, 80, 5, 2, True))), Taken(2, 0))
        self.assertEqual(self.rows, Rows({ModuleId(1, 2): {H: (5, 2, TS, True)}}, {(MINUTE, 1, 2): {H: [5, 2]}}))

    def test_same_key_again_adds_no_row_and_the_latest_state_holds(self) -> None:
        self.add(report((10, 80, 5, 2, True)))
        self.assertEqual(self.add(report((10, 80, 1, 1, False)), TS - 1), Taken(0, 0))
        self.assertEqual(self.rows, Rows({ModuleId(1, 2): {H: (1, 1, TS - 1, False)}}, {(MINUTE, 1, 2): {H: [6, 3]}}))

    def test_each_minute_has_calls_of_its_own(self) -> None:
        self.add(report((10, 80, 5, 2, False)))
        self.assertEqual(self.add(report((10, 80, 1, 0, False)), TS + 60), Taken(1, 0))
        self.assertEqual(self.rows.calls, {(MINUTE, 1, 2): {H: [5, 2]}, (MINUTE + 60, 1, 2): {H: [1, 0]}})

    def test_host_without_calls_has_a_status_and_no_history(self) -> None:
        self.assertEqual(self.add(report((10, 80, 0, 0, False))), Taken(1, 0))
        self.assertEqual(self.rows.calls, {})

    def test_hosts_that_cannot_exist_are_left_out_and_counted(self) -> None:
        results = [(0, 80, 1, 0, False), (10, 0, 1, 0, False), (10, 65536, 1, 0, False), (10, -1, 1, 0, False)]
        self.assertEqual(self.add(report(*results, (10, 65535, 1, 0, False))), Taken(2, 4))
        self.assertEqual(list(self.rows.calls[MINUTE, 1, 2]), [pack_host(10, 65535)])

    def test_report_without_results_adds_nothing(self) -> None:
        self.assertEqual(self.add(report(modid=0, cmdid=0)), Taken(0, 0))
        self.assertEqual(self.rows, Rows())


class CounterDeltasTests(SynchronousTestCase):
    """The increases between counters of a C++ agent, which run within a window and restart with each."""

    def increases(self, *counters: tuple[int, int]) -> list[tuple[int, int]]:
        running = CounterDeltas(0)
        return [running.of(9, ModuleId(1, 1))(H, succ, err) for succ, err in counters]

    def test_first_value_is_the_base_and_says_nothing(self) -> None:
        self.assertEqual(self.increases((100, 3), (110, 4), (110, 4)), [(0, 0), (10, 1), (0, 0)])

    def test_counter_that_fell_has_restarted(self) -> None:
        self.assertEqual(self.increases((100, 3), (4, 0), (6, 1), (7, 0)), [(0, 0), (4, 0), (2, 1), (7, 0)])

    def test_counters_of_hosts_modules_and_callers_are_apart(self) -> None:
        running, rows = CounterDeltas(0), Rows()
        for request in (cpp_report((10, 80, 5, 0, False)), cpp_report((10, 80, 9, 0, False), caller=8)):
            add_up(request, TS, rows, running)
        add_up(cpp_report((10, 80, 7, 0, False)), TS, rows, running)
        self.assertEqual((rows.calls, rows.derived), ({}, {(MINUTE, 1, 2): {H: [2, 0]}}))

    def test_counter_not_seen_for_long_is_forgotten_and_one_seen_is_not(self) -> None:
        running = CounterDeltas(0)
        module, other = ModuleId(1, 1), pack_host(11, 80)
        for host in (H, other):
            running.of(9, module)(host, 100, 0)
        for turn in (1, 2):
            running.age(turn * FORGET_AFTER)
            self.assertEqual(running.of(9, module)(H, 100 + turn, 0), (1, 0))
        self.assertEqual(running.of(9, module)(other, 200, 0), (0, 0))
