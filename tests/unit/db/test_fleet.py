"""The fleet store: sizes, and the worst modules and longest silent agents first."""

from lars.db.agents import Agent
from lars.db.alarms import AlarmStore
from lars.db.fleet import FleetStore
from lars.db.reports import STALE_AFTER
from lars.route import ModuleId
from tests.unit.db.reports_case import MAIL, NEWS, NOW, PAY, A, B, ReportsCase


class FleetStoreTests(ReportsCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = FleetStore(self.database)

    def test_modules_and_hosts_are_counted(self) -> None:
        self.assertEqual(self.successResultOf(self.store.sizes()), (0, 0))
        self.route(PAY, A, B)
        self.route(MAIL, A)
        self.assertEqual(self.successResultOf(self.store.sizes()), (2, 3))

    def test_worst_module_is_the_one_with_the_highest_ratio_of_ejected_hosts_then_of_errors(self) -> None:
        for module in (PAY, MAIL, NEWS):
            self.route(module, A, B)
        self.state(MAIL, A, 1, NOW, ejected=True)
        self.calls(5940, PAY, A, 98, 2)
        self.calls(5940, NEWS, A, 50, 50)
        self.calls(5940, ModuleId(9, 9), A, 99, 1)  # 1% is not more than 1%
        fleet = self.successResultOf(self.store.fleet(NOW, 60))
        self.assertEqual([trouble.module for trouble in fleet.trouble], [MAIL, NEWS, PAY])
        self.assertEqual((fleet.overloaded, fleet.trouble[0].overloaded, fleet.trouble[1].err), (1, 1, 50))

    def test_silent_agents_come_first_and_are_counted(self) -> None:
        stale = int(NOW) - STALE_AFTER - 1
        self.txn.execute_many("INSERT INTO CallerSeen (caller, ts) VALUES (?, ?)", [(1, int(NOW)), (2, stale)])
        fleet = self.successResultOf(self.store.fleet(NOW, 60))
        self.assertEqual(fleet.agents, (Agent(2, stale), Agent(1, int(NOW))))
        self.assertEqual((fleet.agents_count, fleet.agents_silent), (2, 1))

    def test_alarms_are_active_or_cleared_newest_first(self) -> None:
        self.txn.execute_many(
            "INSERT INTO Alarm (rule, what, modid, cmdid, ip, port, caller, text, raised_at, cleared_at, webhook, "
            "raise_told, clear_told) VALUES (?, 'error_rate', 1, 1, 0, 0, 0, '', ?, ?, '', 1, 1)",
            [("a", 10, 0), ("b", 20, 0), ("c", 5, 40), ("d", 6, 30)],
        )
        for active, rules in ((True, ["b", "a"]), (False, ["c", "d"])):
            found = self.successResultOf(AlarmStore(self.database).newest(active, 9))
            self.assertEqual([alarm.rule for alarm in found], rules)
        self.assertEqual(self.successResultOf(self.store.fleet(NOW, 60)).alarms_count, 2)
