"""A report's results are validated and added up by key."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.report_rows import Rows, pack_host
from lars.errors import InvalidRoute
from lars.reporter.aggregate import Added, Malformed, add_report, check
from lars.reporter.counter_deltas import CounterDeltas
from lars.route import ModuleId
from lars.wire.lars_pb2 import ReportStatusRequest
from tests.unit.reporter.reports import cpp_report, report

TS = 1_795_362_599
ARRIVED = TS + 7
MINUTE = 1_795_362_540
H = pack_host(10, 80)


class CheckTests(SynchronousTestCase):
    def test_invalid_modules_are_refused(self) -> None:
        for modid, cmdid in ((-1, 1), (1, -1)):
            self.assertRaises(InvalidRoute, check, report(modid=modid, cmdid=cmdid))
        self.assertRaises(InvalidRoute, check, report((10, 80, 1, 0, False), modid=0, cmdid=0))

    def test_report_without_a_module_and_results_is_valid(self) -> None:
        check(report(modid=0, cmdid=0))

    def test_run_without_sequence_numbers_is_refused(self) -> None:
        self.assertRaises(Malformed, check, report((10, 80, 1, 0, False), seq=0))
        check(cpp_report((10, 80, 1, 0, False)))


class AddUpTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.rows = Rows()
        self.counters = CounterDeltas(0)

    def add(self, request: ReportStatusRequest, ts: int = TS) -> Added:
        return add_report(request, ts, ts + 7, self.rows, self.counters)

    def test_results_become_a_status_and_the_calls_of_their_minute(self) -> None:
        self.assertEqual(self.add(report((10, 80, 5, 2, True))), Added(2, 0))
        self.assertEqual(self.rows, Rows({ModuleId(1, 2): {H: (5, 2, ARRIVED, True)}}, {(MINUTE, 1, 2): {H: [5, 2]}}))

    def test_repeated_key_adds_no_row_and_the_latest_state_is_kept(self) -> None:
        self.add(report((10, 80, 5, 2, True)))
        self.assertEqual(self.add(report((10, 80, 1, 1, False)), TS - 1), Added(0, 0))
        self.assertEqual(
            self.rows, Rows({ModuleId(1, 2): {H: (1, 1, ARRIVED - 1, False)}}, {(MINUTE, 1, 2): {H: [6, 3]}})
        )

    def test_calls_are_counted_by_minute(self) -> None:
        self.add(report((10, 80, 5, 2, False)))
        self.assertEqual(self.add(report((10, 80, 1, 0, False)), TS + 60), Added(1, 0))
        self.assertEqual(self.rows.calls, {(MINUTE, 1, 2): {H: [5, 2]}, (MINUTE + 60, 1, 2): {H: [1, 0]}})

    def test_host_without_calls_has_a_status_and_no_history(self) -> None:
        self.assertEqual(self.add(report((10, 80, 0, 0, False))), Added(1, 0))
        self.assertEqual(self.rows.calls, {})

    def test_invalid_hosts_are_skipped_and_counted(self) -> None:
        results = [(0, 80, 1, 0, False), (10, 0, 1, 0, False), (10, 65536, 1, 0, False), (10, -1, 1, 0, False)]
        self.assertEqual(self.add(report(*results, (10, 65535, 1, 0, False))), Added(2, 4))
        self.assertEqual(list(self.rows.calls[MINUTE, 1, 2]), [pack_host(10, 65535)])

    def test_report_without_results_adds_nothing(self) -> None:
        self.assertEqual(self.add(report(modid=0, cmdid=0)), Added(0, 0))
        self.assertEqual(self.rows, Rows())

    def test_calls_of_a_cpp_agent_are_derived_by_caller(self) -> None:
        self.add(cpp_report((10, 80, 5, 0, False)))
        self.add(cpp_report((10, 80, 9, 0, False), caller=8))
        self.add(cpp_report((10, 80, 7, 0, False)))
        self.assertEqual((self.rows.calls, self.rows.derived), ({}, {(MINUTE, 1, 2): {H: [2, 0]}}))
