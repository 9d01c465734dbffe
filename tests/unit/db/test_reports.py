"""The report store: calls from a minute on, and the states of callers that still report."""

from lars.db.reports import STALE_AFTER, HostHistory, HostStatus, MinuteCalls, ReportStore
from lars.route import HostAddress, ModuleId
from tests.unit.db.memory import StoreCase

NOW = 10_000.0


class ReportStoreTests(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = ReportStore(self.database)
        self.txn.execute_many(
            "INSERT INTO ServerCallHistory (minute, modid, cmdid, ip, port, succ_cnt, err_cnt, approximate) "
            "VALUES (?, ?, 1, 5, 80, ?, ?, ?)",
            [(60, 1, 1, 1, 0), (120, 1, 10, 2, 3), (180, 1, 20, 4, 0), (120, 2, 7, 0, 0)],
        )
        recent, stale = int(NOW) - STALE_AFTER, int(NOW) - STALE_AFTER - 1
        self.txn.execute_many(
            "INSERT INTO ServerCallStatus (modid, cmdid, ip, port, caller, succ_cnt, err_cnt, ts, overload) "
            "VALUES (1, 1, ?, 80, ?, 0, 0, ?, ?)",
            [(5, 1, recent, "1"), (5, 2, recent, "0"), (5, 3, stale, "1"), (6, 3, stale, "1")],
        )

    def test_status_has_calls_of_the_period_and_callers_that_still_report(self) -> None:
        recent = int(NOW) - STALE_AFTER
        self.assertEqual(
            self.successResultOf(self.store.status(1, 1, 150, NOW)),
            [HostStatus(1, 1, 5, 80, 30, 6, 2, 1, recent), HostStatus(1, 1, 6, 80, 0, 0, 0, 0, recent - 1)],
        )

    def test_status_falls_back_on_the_latest_reports_where_there_is_no_history(self) -> None:
        now = int(NOW)
        self.txn.execute_many(
            "INSERT INTO ServerCallStatus (modid, cmdid, ip, port, caller, succ_cnt, err_cnt, ts, overload) "
            "VALUES (9, 1, 5, 80, ?, ?, ?, ?, '0')",
            [(1, 30, 2, now), (2, 4, 1, now - 1), (3, 500, 500, now - 1000)],
        )
        self.assertEqual(
            self.successResultOf(self.store.status(9, 1, now - 600, NOW)),
            [HostStatus(9, 1, 5, 80, 34, 3, 2, 0, now, latest=True)],
        )

    def test_history_has_the_minutes_with_calls(self) -> None:
        minutes = {120: MinuteCalls(10, 2, 3), 180: MinuteCalls(20, 4, 0)}
        self.assertEqual(
            self.successResultOf(self.store.history(1, None, 179)),
            [HostHistory(ModuleId(1, 1), HostAddress(5, 80), minutes)],
        )

    def test_no_ids_are_all_modules(self) -> None:
        for modid, cmdid, modules in ((None, None, [1, 2]), (2, None, [2]), (2, 1, [2]), (3, None, [])):
            found = self.successResultOf(self.store.history(modid, cmdid, 0))
            self.assertEqual([host.module.modid for host in found], modules)
