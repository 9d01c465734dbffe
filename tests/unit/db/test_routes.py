"""What an edit of a route has changed. On both engines: tests/integration/db/test_routes.py."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.routes import EditDone, RouteChanged, RouteEdit, edit_txn, hosts_of_txn, load_txn, version_txn
from lars.errors import InvalidRoute
from lars.route import MAX_HOSTS, HostAddress, ModuleId
from tests.unit.db.memory import database

PAY = ModuleId(1, 1)
A, B, C = (HostAddress(n, 80) for n in (10, 11, 12))


class RouteChangedTests(SynchronousTestCase):
    def test_added_and_removed_hosts_are_the_difference_in_order(self) -> None:
        changed = RouteChanged(PAY, (A, B), (B, HostAddress(11, 79), C))
        self.assertEqual((changed.added, changed.removed), ([HostAddress(11, 79), C], [A]))


class EditTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.txn = database()

    def edit(self, edit: RouteEdit, now: float = 100.0) -> EditDone:
        return edit_txn(self.txn, "ann", now, [edit])

    def test_version_is_the_time_or_the_next_number(self) -> None:
        versions = [
            self.edit(RouteEdit(PAY, add=frozenset([host])), now).version
            for host, now in ((A, 100.9), (B, 100.9), (C, 7.0))
        ]
        self.assertEqual((versions, version_txn(self.txn)), ([100, 101, 102], 102))

    def test_edit_removes_then_adds(self) -> None:
        self.edit(RouteEdit(PAY, add=frozenset([A, B])))
        self.edit(RouteEdit(PAY, add=frozenset([A, C]), remove=frozenset([A, B])))
        self.assertEqual(hosts_of_txn(self.txn, [PAY])[PAY], {A, C})

    def test_replacement_leaves_its_hosts_alone(self) -> None:
        self.edit(RouteEdit(PAY, add=frozenset([A, B])))
        self.edit(RouteEdit(PAY, add=frozenset([C]), replace=True))
        self.assertEqual(load_txn(self.txn), (101, [(*PAY, *C)]))

    def test_edit_without_effect_has_no_version(self) -> None:
        self.assertEqual(self.edit(RouteEdit(PAY, remove=frozenset([A]))), EditDone(0, ()))

    def test_one_host_too_many_is_refused(self) -> None:
        hosts = frozenset(HostAddress(n, 80) for n in range(1, MAX_HOSTS + 2))
        with self.assertRaisesRegex(InvalidRoute, r"module \(1, 1\) would have 4001 hosts; 4000 at most"):
            self.edit(RouteEdit(PAY, add=hosts))
