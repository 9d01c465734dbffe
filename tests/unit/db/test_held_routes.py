"""Which agents hold which version of a route, and how far a change has come."""

from lars.db.held_routes import HeldRoute, HeldRouteStore, Progress
from lars.db.report_rows import AgentFacts, Seen
from lars.db.routes import RouteEdit, edit_txn
from lars.db.seen_writes import write_seen_txn
from lars.host_record import HostChange
from lars.route import ModuleId
from tests.unit.db.reports_case import MAIL, PAY, A, ReportsCase

NOW = 1_700_000_000


class HeldRouteStoreTests(ReportsCase):
    def setUp(self) -> None:
        super().setUp()
        self.database.set_clock(NOW)
        self.store = HeldRouteStore(self.database)
        self.version = self.edit(RouteEdit(PAY, add=frozenset({A})))

    def edit(self, *edits: RouteEdit) -> int:
        return edit_txn(self.txn, "ann", 0.0, list(edits)).version

    def hold(self, caller: int, version: int, module: ModuleId = PAY, at: int = NOW, heard: int = NOW) -> None:
        write_seen_txn(self.txn, [Seen(caller, 7, at, versions={module: version})])
        upsert = self.txn.engine.upsert("CallerSeen", ["caller"], ["ts"])
        self.txn.execute(upsert, (caller, heard))

    def progress(self, version: int) -> Progress:
        found: Progress = self.successResultOf(self.store.progress(version))
        return found

    def test_agent_is_behind_where_its_route_has_changed_since(self) -> None:
        self.hold(1, self.version)
        self.hold(1, 0, MAIL)
        held = [HeldRoute(PAY, self.version, self.version), HeldRoute(MAIL, 0, 0)]
        self.assertEqual(self.successResultOf(self.store.of_agent(1, 9)), held)
        newer = self.edit(RouteEdit(PAY, change={A: HostChange(weight=50)}))
        first, second = self.successResultOf(self.store.of_agent(1, 9))
        self.assertEqual((first, first.behind), (HeldRoute(PAY, self.version, newer), True))
        self.assertFalse(second.behind, "its lars-dns does not say")

    def test_note_is_nothing_that_an_agent_waits_for(self) -> None:
        self.hold(1, self.version)
        newer = self.edit(RouteEdit(PAY, change={A: HostChange(note="weight=50")}))
        (held,) = self.successResultOf(self.store.of_agent(1, 9))
        self.assertFalse(held.behind)
        self.assertEqual(self.progress(newer).modules, ())

    def test_change_is_followed_until_the_last_agent_has_it(self) -> None:
        newer = self.edit(RouteEdit(PAY, change={A: HostChange(weight=50)}))
        self.hold(1, newer)
        self.hold(2, self.version)
        self.hold(3, 0)
        self.hold(4, self.version, heard=NOW - 200)
        self.hold(5, newer, MAIL)
        self.hold(6, self.version, at=NOW - 8000)
        found = self.progress(newer)
        self.assertEqual((found.modules, found.agents, found.have, found.unknown), ((PAY,), 2, 1, 1))
        self.assertEqual([(one.caller, one.version) for one in found.waiting], [(2, self.version)])
        self.hold(2, newer + 5)
        self.assertEqual((self.progress(newer).have, self.progress(newer).waiting), (2, ()))

    def test_route_of_an_earlier_run_of_the_agent_does_not_count(self) -> None:
        newer = self.edit(RouteEdit(PAY, change={A: HostChange(weight=50)}))
        self.hold(1, self.version, at=NOW - 60)
        self.assertEqual(self.progress(newer).agents, 1)
        facts = AgentFacts(NOW - 30, "shop-1", "1", "", "", "", "")
        write_seen_txn(self.txn, [Seen(1, 8, NOW, facts=facts)])
        self.assertEqual(self.progress(newer).agents, 0)
        self.assertEqual(self.successResultOf(self.store.of_agent(1, 9)), [])

    def test_agent_waits_while_one_of_the_modules_is_old(self) -> None:
        newer = self.edit(RouteEdit(PAY, change={A: HostChange(weight=50)}), RouteEdit(MAIL, add=frozenset({A})))
        self.hold(1, newer)
        self.hold(1, self.version, MAIL)
        self.assertEqual([one.module for one in self.progress(newer).waiting], [MAIL])

    def test_change_of_the_cpp_tools_has_no_audit_and_is_followed_too(self) -> None:
        self.txn.execute("INSERT INTO RouteChange (modid, cmdid, version) VALUES (1, 1, 77)")
        self.hold(1, 76)
        self.assertEqual((self.progress(77).modules, self.progress(77).have), ((PAY,), 0))
        self.assertEqual(self.progress(99999).modules, ())
