"""What a report means."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.reports import Calls, HistoryKey, Report, Status, StatusKey
from lars.errors import InvalidRoute
from lars.reporter.intake import MAX_STATUS_COUNT, RunningCounters, read_report
from lars.wire.lars_pb2 import HostCallResult, ReportStatusRequest

NOW = 1_795_362_600.5


def ours(*results: tuple[int, int, int, int, bool], ts: int = 1_795_362_599, modid: int = 1) -> ReportStatusRequest:
    return ReportStatusRequest(
        modid=modid,
        cmdid=2,
        caller=9,
        ts=ts,
        period_ms=5000,
        boot=7,
        seq=3,
        results=[HostCallResult(ip=i, port=p, succ=s, err=e, overload=o) for i, p, s, e, o in results],
    )


class ReadReportTests(SynchronousTestCase):
    def read(self, request: ReportStatusRequest) -> Report:
        return read_report(request, NOW, RunningCounters())

    def test_results_become_a_status_and_the_calls_of_their_minute(self) -> None:
        report = self.read(ours((10, 80, 5, 2, True)))
        self.assertEqual((report.caller, report.boot, report.seq), (9, 7, 3))
        self.assertEqual(report.status, {StatusKey(1, 2, 10, 80, 9): Status(5, 2, 1_795_362_599, True)})
        self.assertEqual(report.calls, {HistoryKey(1_795_362_540, 1, 2, 10, 80): Calls(5, 2)})

    def test_host_without_calls_has_a_status_and_no_history(self) -> None:
        report = self.read(ours((10, 80, 0, 0, False)))
        self.assertEqual((len(report.status), len(report.calls)), (1, 0))

    def test_ts_more_than_an_hour_off_counts_for_its_arrival(self) -> None:
        for ts in (0, 1_795_362_600 - 3601, 1_795_362_600 + 3602, 2**32 - 1):
            (key,) = self.read(ours((10, 80, 1, 0, False), ts=ts)).calls
            self.assertEqual(key.minute, 1_795_362_600)

    def test_counts_beyond_the_column_are_clamped_in_the_status_and_kept_in_the_history(self) -> None:
        report = self.read(ours((10, 80, 2**32 - 1, 0, False)))
        self.assertEqual(next(iter(report.status.values())).succ, MAX_STATUS_COUNT)
        self.assertEqual(next(iter(report.calls.values())).succ, 2**32 - 1)

    def test_result_for_an_impossible_host_is_left_out(self) -> None:
        report = self.read(ours((10, 0, 1, 0, False), (0, 80, 1, 0, False), (10, 70000, 1, 0, False)))
        self.assertEqual((report.status, report.calls), ({}, {}))

    def test_impossible_module_is_refused(self) -> None:
        with self.assertRaises(InvalidRoute):
            self.read(ours((10, 80, 1, 0, False), modid=-1))

    def test_report_without_module_or_results_only_says_that_the_caller_lives(self) -> None:
        report = self.read(ReportStatusRequest(caller=9, boot=7, seq=4, period_ms=60_000))
        self.assertEqual((report.caller, report.status, report.calls), (9, {}, {}))

    def test_host_named_twice_is_added_up(self) -> None:
        report = self.read(ours((10, 80, 1, 0, False), (10, 80, 2, 1, False)))
        self.assertEqual(list(report.calls.values()), [Calls(3, 1)])


class CppAgentTests(SynchronousTestCase):
    """Reports without a period hold running counters of a window that restarts."""

    def increases(self, *counters: tuple[int, int]) -> list[Calls]:
        running = RunningCounters()
        happened = []
        for succ, err in counters:
            request = ReportStatusRequest(
                modid=1, cmdid=2, caller=9, ts=int(NOW), results=[HostCallResult(ip=10, port=80, succ=succ, err=err)]
            )
            happened += list(read_report(request, NOW, running).calls.values()) or [Calls(0, 0)]
        return happened

    def test_first_value_is_the_base_and_increases_count_as_approximate(self) -> None:
        self.assertEqual(self.increases((100, 3), (110, 4)), [Calls(0, 0), Calls(10, 1, 11)])

    def test_counter_that_fell_has_restarted(self) -> None:
        self.assertEqual(self.increases((100, 3), (4, 0), (6, 1)), [Calls(0, 0), Calls(4, 0, 4), Calls(2, 1, 3)])
