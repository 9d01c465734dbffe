"""The call store: sums of calls, states of hosts, and the worst modules first."""

from lars.db.calls import Agent, Bucket, CallStore, HostState, ModuleCalls
from lars.db.reports import STALE_AFTER
from lars.db.routes import RouteEdit, edit_txn
from lars.route import HostAddress, ModuleId
from tests.unit.db.memory import StoreCase

PAY, MAIL, NEWS = ModuleId(1, 1), ModuleId(1, 2), ModuleId(2, 1)
A, B = HostAddress(5, 80), HostAddress(6, 80)
NOW = 6000.0


class CallStoreTests(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = CallStore(self.database)

    def calls(self, minute: int, module: ModuleId, host: HostAddress, succ: int, err: int) -> None:
        self.txn.execute(
            "INSERT INTO ServerCallHistory (minute, modid, cmdid, ip, port, succ_cnt, err_cnt, approximate) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
            (minute, *module, *host, succ, err),
        )

    def state(self, module: ModuleId, host: HostAddress, caller: int, ts: float, ejected: bool) -> None:
        self.txn.execute(
            "INSERT INTO ServerCallStatus (modid, cmdid, ip, port, caller, succ_cnt, err_cnt, ts, overload) "
            "VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?)",
            (*module, *host, caller, int(ts), str(int(ejected))),
        )

    def route(self, module: ModuleId, *hosts: HostAddress) -> None:
        edit_txn(self.txn, "ann", NOW, [RouteEdit(module, add=frozenset(hosts))])

    def test_calls_are_summed_by_minute_module_and_step(self) -> None:
        self.calls(60, PAY, A, 1, 0)
        self.calls(120, PAY, A, 2, 1)
        self.calls(120, MAIL, B, 4, 0)
        self.assertEqual(self.successResultOf(self.store.minutes(120)), {120: (6, 1)})
        self.assertEqual(self.successResultOf(self.store.calls([PAY, NEWS], 60)), {PAY: ModuleCalls(3, 1)})
        self.assertEqual(
            sorted(self.successResultOf(self.store.history(PAY, 60, 120)), key=lambda bucket: bucket.at),
            [Bucket(0, A, 1, 0), Bucket(120, A, 2, 1)],
        )

    def test_states_ignore_callers_that_no_longer_report(self) -> None:
        self.state(PAY, A, 1, NOW, ejected=True)
        self.state(PAY, A, 2, NOW - STALE_AFTER, ejected=False)
        self.state(PAY, A, 3, NOW - STALE_AFTER - 1, ejected=True)
        states = self.successResultOf(self.store.states([PAY, MAIL], NOW))
        self.assertEqual(states, {PAY: {A: HostState(2, 1, int(NOW))}, MAIL: {}})

    def test_watched_module_includes_hosts_that_have_left_its_route(self) -> None:
        self.route(PAY, A)
        self.state(PAY, B, 1, NOW, ejected=False)
        self.calls(5940, PAY, B, 3, 0)
        watched = self.successResultOf(self.store.watched([PAY], NOW, 5940))[PAY]
        self.assertEqual(
            (watched.module.hosts, set(watched.states), watched.calls), ((A,), {B}, {B: ModuleCalls(3, 0)})
        )

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
        self.assertEqual(self.successResultOf(self.store.agents(1)), [Agent(2, stale)])

    def test_alarms_are_active_or_cleared_newest_first(self) -> None:
        self.txn.execute_many(
            "INSERT INTO Alarm (rule, what, modid, cmdid, ip, port, caller, text, raised_at, cleared_at, webhook, "
            "raise_told, clear_told) VALUES (?, 'error_rate', 1, 1, 0, 0, 0, '', ?, ?, '', 1, 1)",
            [("a", 10, 0), ("b", 20, 0), ("c", 5, 40), ("d", 6, 30)],
        )
        for active, rules in ((True, ["b", "a"]), (False, ["c", "d"])):
            self.assertEqual([alarm.rule for alarm in self.successResultOf(self.store.alarms(active, 9))], rules)
        self.assertEqual(self.successResultOf(self.store.fleet(NOW, 60)).alarms_count, 2)
