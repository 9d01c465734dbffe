"""The host state store: how callers see hosts, and modules that are watched."""

from lars.db.calls import ModuleCalls
from lars.db.host_states import HostState, HostStateStore
from lars.db.reports import STALE_AFTER
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
