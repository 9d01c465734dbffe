"""The host state store: how callers see hosts, and modules that are watched."""

from lars.db.calls import ModuleCalls
from lars.db.host_states import HostState, HostStateStore
from lars.db.report_rows import HostSeen, Seen, pack_host
from lars.db.reports import STALE_AFTER, HostSeenBy
from lars.db.seen_writes import write_seen_txn
from lars.host_condition import Condition
from tests.unit.db.reports_case import MAIL, NOW, PAY, A, B, ReportsCase


class HostStateStoreTests(ReportsCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = HostStateStore(self.database)

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

    def test_watched_module_says_how_callers_see_hosts_that_are_not_healthy(self) -> None:
        now = int(NOW)
        self.txn.execute_many("INSERT INTO CallerSeen (caller, ts) VALUES (?, ?)", [(1, now), (2, now), (3, now - 200)])
        for caller, state, reason in ((1, 3, "http 503"), (2, 3, "http 503"), (3, 2, "silent"), (4, 2, "unknown")):
            seen = Seen(caller, 7, now)
            seen.hosts[PAY] = {pack_host(*A): HostSeen(state, reason, now - caller, 0, None)}
            seen.hosts[MAIL] = {pack_host(*A): HostSeen(1, "", now, 0, None)}
            write_seen_txn(self.txn, [seen])
        watched = self.successResultOf(self.store.watched([PAY, MAIL], NOW, 5940))
        self.assertEqual(watched[PAY].seen, {A: (HostSeenBy(Condition.UNHEALTHY, 2, "http 503", now - 2),)})
        self.assertEqual(watched[MAIL].seen, {})
