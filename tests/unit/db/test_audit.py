"""The audit: every edit with its actor, newest first, of one module or of all."""

from lars.db.audit import AuditStore, ChangeRow, Edit, record_txn
from lars.db.routes import RouteEdit, edit_txn
from lars.route import HostAddress, ModuleId
from tests.unit.db.memory import StoreCase

PAY = ModuleId(1, 2)
HOSTS = Edit("hosts", 1, 2, "", "10.0.0.1:80", 1000)
MODID_NAME = Edit("modid", 1, 0, "", "shop")
CMDID_NAME = Edit("cmdid", 0, 2, "", "pay")
ACCOUNT = Edit("account", 0, 0, "", "user bob: viewer")
OTHER = Edit("hosts", 1, 3, "", "10.0.0.1:80", 1001)


class AuditTests(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = AuditStore(self.database)
        record_txn(self.txn, "ann", 1000.9, [HOSTS, MODID_NAME, CMDID_NAME, ACCOUNT, OTHER])

    def edits(self, module: ModuleId | None, before_id: int | None = None, limit: int = 10) -> list[Edit]:
        return [row.edit for row in self.successResultOf(self.store.edits(module, before_id, limit))]

    def test_all_edits_are_newest_first(self) -> None:
        self.assertEqual(self.edits(None), [OTHER, ACCOUNT, CMDID_NAME, MODID_NAME, HOSTS])

    def test_edits_of_a_module_are_those_of_its_hosts_and_names(self) -> None:
        self.assertEqual(self.edits(PAY), [CMDID_NAME, MODID_NAME, HOSTS])

    def test_pages_continue_before_an_id(self) -> None:
        for module in (None, PAY):
            newest, *_ = self.successResultOf(self.store.edits(module, None, 1))
            self.assertEqual(self.edits(module, newest.id), self.edits(module)[1:])

    def test_lines_of_an_edit_of_hosts_are_one_a_host(self) -> None:
        host = '10.0.0.1:80 weight=50 note="a b"'
        edit = Edit("hosts", 1, 2, f"10.0.0.2:80\n{host}", 'settings {"panic":false}', 7)
        self.assertEqual(edit.lines, (["10.0.0.2:80", host], ['settings {"panic":false}']))

    def test_lines_of_an_edit_by_an_earlier_version_are_one_a_host(self) -> None:
        edit = Edit("hosts", 1, 2, "10.0.0.1:80 10.0.0.2:80", "", 7)
        self.assertEqual(edit.lines, (["10.0.0.1:80", "10.0.0.2:80"], []))

    def test_lines_of_another_edit_are_its_texts(self) -> None:
        self.assertEqual(Edit("modid", 1, 0, "", "big shop").lines, ([], ["big shop"]))

    def test_row_has_time_and_actor(self) -> None:
        record_txn(self.txn, "bob" * 100, 2000.0, [ACCOUNT])
        [row] = self.successResultOf(self.store.edits(None, None, 1))
        self.assertEqual((row.at, row.actor), (2000, ("bob" * 100)[:255]))

    def test_route_changes_come_with_the_version(self) -> None:
        edit_txn(self.txn, "ann", 3000.0, [RouteEdit(PAY, add=frozenset([HostAddress(5, 80)]))])
        version, changes = self.successResultOf(self.store.changes(None, 10))
        self.assertEqual((version, changes), (3000, [ChangeRow(changes[0].id, *PAY, 3000)]))
