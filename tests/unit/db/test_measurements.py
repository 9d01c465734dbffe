"""What alarm rules look at: calls, states, callers, and what left the routes."""

from lars.db.measurements import CallerSeen, HostCalls, HostStates, Measurements, Subject
from lars.db.routes import RouteEdit, edit_txn
from lars.route import HostAddress, ModuleId
from tests.unit.db.memory import StoreCase


class MeasurementTests(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = Measurements(self.database)

    def test_calls_are_summed_by_host_or_by_module_from_a_minute_on(self) -> None:
        self.txn.execute_many(
            "INSERT INTO ServerCallHistory (minute, modid, cmdid, ip, port, succ_cnt, err_cnt, approximate) "
            "VALUES (?, 1, 1, ?, 80, ?, ?, 0)",
            [(0, 5, 100, 100), (60, 5, 1, 2), (120, 5, 10, 20), (120, 6, 3, 4), (180, 5, 1000, 1000)],
        )
        by_host = self.successResultOf(self.store.calls(119, 179, per_host=True))
        self.assertEqual(sorted(by_host), [HostCalls(1, 1, 5, 80, 11, 22), HostCalls(1, 1, 6, 80, 3, 4)])
        self.assertEqual(
            self.successResultOf(self.store.calls(119, 179, per_host=False)), [HostCalls(1, 1, 0, 0, 14, 26)]
        )

    def test_states_are_those_of_callers_that_are_heard_of(self) -> None:
        now = 10_000
        self.txn.execute_many(
            "INSERT INTO CallerSeen (caller, ts) VALUES (?, ?)", [(1, now), (2, now), (3, now - 181), (4, now)]
        )
        self.txn.execute_many(
            "INSERT INTO ServerCallStatus (modid, cmdid, ip, port, caller, succ_cnt, err_cnt, ts, overload) "
            "VALUES (1, 1, 5, 80, ?, 0, 0, ?, ?)",
            [(1, now - 180, "1"), (2, now - 3600, "1"), (3, now - 181, "1"), (4, now - 3601, "1"), (5, now, "0")],
        )
        self.assertEqual(self.successResultOf(self.store.states(now)), [HostStates(1, 1, 5, 80, 3, 2, 2)])

    def test_silent_callers_are_those_seen_before(self) -> None:
        self.txn.execute_many("INSERT INTO CallerSeen (caller, ts) VALUES (?, ?)", [(1, 99), (2, 100)])
        self.assertEqual(self.successResultOf(self.store.callers_seen(100)), [CallerSeen(1, 99)])

    def test_known_callers_are_those_that_are_not_forgotten(self) -> None:
        self.txn.execute("INSERT INTO CallerSeen (caller, ts) VALUES (1, 99)")
        self.assertEqual(self.successResultOf(self.store.known_callers([1, 2])), {1})

    def test_host_is_gone_when_its_module_has_others_and_module_when_somebody_removed_its_routes(self) -> None:
        removed, never, routed = ModuleId(1, 1), ModuleId(2, 2), ModuleId(3, 3)
        host, other = HostAddress(5, 80), HostAddress(6, 80)
        edit_txn(
            self.txn, "ann", 1.0, [RouteEdit(removed, add=frozenset({host})), RouteEdit(routed, add=frozenset({host}))]
        )
        edit_txn(self.txn, "ann", 2.0, [RouteEdit(removed, remove=frozenset({host}))])
        subjects = [Subject(*module, *of) for module in (removed, never, routed) for of in ((0, 0), host, other)]
        gone = self.successResultOf(self.store.unrouted([*subjects, Subject(caller=7)]))
        self.assertEqual(gone, {*subjects[:3], Subject(*routed, *other)})
