"""What an edit of a route has changed. On both engines: tests/integration/db/test_routes.py."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.hosts import drains_over_txn, records_of_txn, settings_of_txn
from lars.db.routes import (
    EditDone,
    RouteChanged,
    RouteEdit,
    edit_machine_txn,
    edit_txn,
    end_drains_txn,
    hosts_of_txn,
    load_txn,
    version_txn,
)
from lars.errors import InvalidRoute, NoSuchHost
from lars.host_record import PLAIN, Drain, HostChange, HostRecord
from lars.module_settings import edited
from lars.route import MAX_HOSTS, HostAddress, ModuleId
from tests.unit.db.memory import database

PAY = ModuleId(1, 1)
A, B, C = (HostAddress(n, 80) for n in (10, 11, 12))
DRAIN = HostChange(drain=Drain(2000, "kernel update"))


class RouteChangedTests(SynchronousTestCase):
    def test_added_and_removed_hosts_are_the_difference_in_order(self) -> None:
        changed = RouteChanged(PAY, (A, B), (B, HostAddress(11, 79), C))
        self.assertEqual((changed.added, changed.removed), ([HostAddress(11, 79), C], [A]))


class EndDrainsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.txn = database()
        add = frozenset([A, B, C])
        edit_txn(self.txn, "ann", 100.0, [RouteEdit(PAY, add=add, change={A: HostChange(weight=50)})])
        drains = {A: DRAIN, B: HostChange(drain=Drain(0, "no end")), C: HostChange(drain=Drain(3000))}
        edit_txn(self.txn, "ann", 101.0, [RouteEdit(PAY, change=drains)])

    def weights(self) -> list[int]:
        return [record.weight for _host, record in sorted(records_of_txn(self.txn, [PAY])[PAY].items())]

    def test_a_drain_that_is_over_ends_once(self) -> None:
        self.assertEqual(self.weights(), [0, 0, 0])
        self.assertEqual(end_drains_txn(self.txn, "lars-web", 1999.9), EditDone(101, ()))
        (changed,) = end_drains_txn(self.txn, "lars-web", 2000.0).changed
        self.assertEqual(self.weights(), [50, 0, 0])
        self.assertEqual(
            changed.texts,
            ('0.0.0.10:80 weight=0 drained_until=2000 drain_reason="kernel update"', "0.0.0.10:80 weight=50"),
        )
        self.assertEqual(end_drains_txn(self.txn, "lars-web", 2001.0).changed, ())

    def test_a_time_that_sql_wrote_without_a_weight_is_no_drain_to_be_ended_again_and_again(self) -> None:
        self.txn.execute("UPDATE RouteData SET drained_weight = NULL WHERE serverip = ?", (A.ip,))
        self.assertEqual(drains_over_txn(self.txn, 2500.0), {})
        self.assertEqual(drains_over_txn(self.txn, 3000.0), {PAY: [C]})

    def test_the_rest_ends_at_its_own_time_or_by_hand(self) -> None:
        end_drains_txn(self.txn, "lars-web", 1e9)
        self.assertEqual(self.weights(), [50, 0, 100])
        edit_txn(self.txn, "ann", 1e9, [RouteEdit(PAY, change={B: HostChange(undrain=True)})])
        self.assertEqual(self.weights(), [50, 100, 100])

    def test_a_machine_is_drained_in_all_modules_at_once(self) -> None:
        other, same = HostAddress(A.ip, 81), ModuleId(7, 7)
        edit_txn(self.txn, "ann", 102.0, [RouteEdit(same, add=frozenset([A, B, other]))])
        done = edit_machine_txn(self.txn, "ann", 103.0, A.ip, HostChange(drain=Drain(9000)))
        self.assertEqual([change.module for change in done.changed], [PAY, same])
        drained = {host for host, record in records_of_txn(self.txn, [same])[same].items() if record.draining}
        self.assertEqual(drained, {A, other})
        undone = edit_machine_txn(self.txn, "ann", 104.0, A.ip, HostChange(undrain=True))
        self.assertEqual((undone.version, self.weights()), (104, [50, 0, 0]))
        with self.assertRaisesRegex(NoSuchHost, r"^no module has a host at 0\.0\.0\.99: "):
            edit_machine_txn(self.txn, "ann", 105.0, 99, HostChange(undrain=True))

    def test_a_weight_that_sql_wrote_meanwhile_stays_and_the_drain_ends(self) -> None:
        self.txn.execute("UPDATE RouteData SET weight = 7 WHERE serverip = 10")
        end_drains_txn(self.txn, "lars-web", 2000.0)
        self.assertEqual(self.weights(), [7, 0, 0])
        self.assertEqual(end_drains_txn(self.txn, "lars-web", 2000.0).changed, ())


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
        self.assertEqual(load_txn(self.txn), (101, [(*PAY, *C, PLAIN)]))

    def test_edit_without_effect_has_no_version(self) -> None:
        self.assertEqual(self.edit(RouteEdit(PAY, remove=frozenset([A]))), EditDone(0, ()))

    def test_a_record_changes_by_its_fields(self) -> None:
        self.edit(RouteEdit(PAY, add=frozenset([A, B]), change={A: HostChange(weight=50, zone="b")}))
        done = self.edit(RouteEdit(PAY, change={A: HostChange(note="new disk"), B: HostChange(zone="a")}))
        records = records_of_txn(self.txn, [PAY])[PAY]
        self.assertEqual(records, {A: HostRecord(50, "b", note="new disk"), B: HostRecord(zone="a")})
        self.assertEqual(done.changed[0].altered[1], (B, PLAIN, HostRecord(zone="a")))
        before = '0.0.0.10:80 weight=50 zone="b"\n0.0.0.11:80'
        after = '0.0.0.10:80 weight=50 zone="b" note="new disk"\n0.0.0.11:80 zone="a"'
        self.assertEqual(self.audit(), (before, after))

    def test_a_change_without_effect_has_no_version(self) -> None:
        self.edit(RouteEdit(PAY, add=frozenset([A])))
        for change in (HostChange(weight=100), HostChange(zone=""), HostChange(undrain=True)):
            self.assertEqual(self.edit(RouteEdit(PAY, change={A: change})), EditDone(100, ()))

    def test_a_record_of_a_host_that_is_not_there_is_refused(self) -> None:
        self.edit(RouteEdit(PAY, add=frozenset([A, B])))
        for edit in (RouteEdit(PAY, change={C: DRAIN}), RouteEdit(PAY, remove=frozenset([A]), change={A: DRAIN})):
            with self.assertRaisesRegex(InvalidRoute, r"module \(1, 1\) has no host 0.0.0.1[02]:80: add it first"):
                self.edit(edit)

    def test_a_host_that_is_added_again_keeps_its_record(self) -> None:
        self.edit(RouteEdit(PAY, add=frozenset([A]), change={A: HostChange(weight=50)}))
        self.edit(RouteEdit(PAY, add=frozenset([A, B]), replace=True))
        self.assertEqual(records_of_txn(self.txn, [PAY])[PAY], {A: HostRecord(50), B: PLAIN})

    def test_a_removed_host_loses_its_record_and_the_audit_has_it(self) -> None:
        self.edit(RouteEdit(PAY, add=frozenset([A]), change={A: HostChange(weight=50)}))
        self.edit(RouteEdit(PAY, remove=frozenset([A])))
        self.assertEqual(self.audit(), ("0.0.0.10:80 weight=50", ""))
        self.edit(RouteEdit(PAY, add=frozenset([A])))
        self.assertEqual(records_of_txn(self.txn, [PAY])[PAY], {A: PLAIN})

    def test_settings_change_in_one_edit_and_go_back_to_the_defaults(self) -> None:
        self.edit(RouteEdit(PAY, settings=lambda _now: {"policy": "classic"}))
        self.edit(RouteEdit(PAY, settings=lambda now: edited(now, ["panic=false"])))
        self.assertEqual(settings_of_txn(self.txn, [PAY]), {PAY: '{"panic":false,"policy":"classic"}'})
        self.assertEqual(self.audit(), ('settings {"policy":"classic"}', 'settings {"panic":false,"policy":"classic"}'))
        self.assertEqual(self.edit(RouteEdit(PAY, settings=lambda now: now)).changed, ())
        self.assertEqual(len(self.edit(RouteEdit(PAY, settings=lambda _now: {})).changed), 1)
        self.assertEqual(self.txn.all("SELECT * FROM ModuleSettings"), [])
        changes = self.txn.all("SELECT modid, cmdid, version FROM RouteChange ORDER BY id")
        self.assertEqual(changes, [(1, 1, 100), (1, 1, 101), (1, 1, 102)])

    def test_an_edit_of_hosts_alone_leaves_the_settings(self) -> None:
        self.edit(RouteEdit(PAY, settings=lambda _now: {"panic": False}))
        (changed,) = self.edit(RouteEdit(PAY, add=frozenset([A]))).changed
        self.assertEqual(changed.texts, ("", "0.0.0.10:80"))
        self.assertEqual(settings_of_txn(self.txn, [PAY]), {PAY: '{"panic":false}'})

    def audit(self) -> tuple[str, str]:
        """What the newest edit changed, before and after."""
        row = self.txn.one("SELECT hosts_before, hosts_after FROM RouteAudit ORDER BY id DESC LIMIT 1")
        assert row is not None
        return row[0], row[1]

    def test_one_host_too_many_is_refused(self) -> None:
        hosts = frozenset(HostAddress(n, 80) for n in range(1, MAX_HOSTS + 2))
        with self.assertRaisesRegex(InvalidRoute, r"module \(1, 1\) would have 4001 hosts; 4000 at most"):
            self.edit(RouteEdit(PAY, add=hosts))
