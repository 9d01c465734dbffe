"""A machine in all modules: what it serves, and an edit of what was seen. On both engines: tests/integration/db."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.machines import edit_seen_machine_txn, machine_txn
from lars.db.modules import EditConflict
from lars.db.routes import RouteEdit, edit_txn
from lars.host_record import PLAIN, Drain, HostChange
from lars.route import HostAddress, ModuleId
from tests.unit.db.memory import database

PAY, MAIL = ModuleId(1, 1), ModuleId(1, 2)
A, A2, B = HostAddress(10, 80), HostAddress(10, 81), HostAddress(11, 80)
DRAIN = HostChange(drain=Drain(2000, "kernel update"))


class MachineTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.txn = database()
        edits = [RouteEdit(PAY, add=frozenset([A, B])), RouteEdit(MAIL, add=frozenset([A, A2]))]
        edit_txn(self.txn, "ann", 100.0, edits)
        self.txn.execute("INSERT INTO ModIDConfig (modid, content) VALUES (1, 'shop')")
        self.txn.execute("INSERT INTO CmdIDConfig (cmdid, content) VALUES (2, 'mail')")

    def test_its_hosts_are_those_at_its_address_in_all_modules(self) -> None:
        hosts = [(host.module, host.name, host.host, host.record) for host in machine_txn(self.txn, A.ip).hosts]
        named = "shop / mail"
        self.assertEqual(hosts, [(PAY, "shop", A, PLAIN), (MAIL, named, A, PLAIN), (MAIL, named, A2, PLAIN)])
        self.assertEqual(machine_txn(self.txn, 99).hosts, ())

    def test_drain_of_what_was_seen_drains_all_of_it(self) -> None:
        seen = machine_txn(self.txn, A.ip).seen
        done = edit_seen_machine_txn(self.txn, "ann", 101.0, A.ip, DRAIN, seen)
        self.assertEqual([change.module for change in done.changed], [PAY, MAIL])
        self.assertEqual((machine_txn(self.txn, A.ip).draining, machine_txn(self.txn, B.ip).draining), (3, 0))

    def test_edit_after_one_of_somebody_else_is_a_conflict(self) -> None:
        seen = machine_txn(self.txn, A.ip).seen
        edit_txn(self.txn, "bob", 101.0, [RouteEdit(MAIL, change={A2: HostChange(weight=50)})])
        with self.assertRaisesRegex(EditConflict, r"hosts at 0\.0\.0\.10 have been edited"):
            edit_seen_machine_txn(self.txn, "ann", 102.0, A.ip, DRAIN, seen)
        self.assertEqual(machine_txn(self.txn, A.ip).draining, 0)
        edit_seen_machine_txn(self.txn, "ann", 103.0, A.ip, DRAIN, machine_txn(self.txn, A.ip).seen)
