"""Searches for modules, and digests that reveal another user's edit."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from lars.db.modules import Lease, Module, search_condition, seen_digest
from lars.db.routes import RouteEdit
from lars.host_record import HostChange, HostRecord
from lars.route import HostAddress, ModuleId, parse_ip

PAY = ModuleId(1, 1)
A, B = HostAddress(10, 80), HostAddress(11, 80)


class SearchConditionTests(SynchronousTestCase):
    def test_nothing_finds_all_modules(self) -> None:
        for text in ("", "  "):
            self.assertEqual(search_condition(text), ("1 = 1", []))

    def test_two_numbers_are_a_module(self) -> None:
        for text in ("1 2", "1,2", "(1, 2)", "1/2", " 1 . 2 "):
            self.assertEqual(search_condition(text), ("modid = ? AND cmdid = ?", [1, 2]), text)

    def test_one_number_is_a_modid_or_a_cmdid(self) -> None:
        self.assertEqual(search_condition("7"), ("(modid = ? OR cmdid = ?)", [7, 7]))

    def test_addresses_are_hosts(self) -> None:
        ip = parse_ip("10.0.0.1")
        having = "(modid, cmdid) IN (SELECT modid, cmdid FROM RouteData WHERE {})"
        self.assertEqual(search_condition("10.0.0.1"), (having.format("serverip = ?"), [ip]))
        place = having.format("serverip = ? AND serverport = ?")
        self.assertEqual(search_condition("10.0.0.1:80"), (place, [ip, 80]))

    def test_anything_else_is_a_part_of_a_name_and_no_pattern(self) -> None:
        for text, pattern in (("pay", "%pay%"), ("50%_!", "%50!%!_!!%"), ("10.0.0.300", "%10.0.0.300%")):
            condition, parameters = search_condition(text)
            self.assertIn("LIKE ? ESCAPE '!'", condition)
            self.assertEqual(parameters, [pattern, pattern])


class DigestTests(SynchronousTestCase):
    def module(self, *hosts: HostAddress, name: str = "pay", leases: dict[HostAddress, Lease] | None = None) -> Module:
        return Module(PAY, name, "", hosts, leases or {})

    def test_order_of_hosts_does_not_matter(self) -> None:
        self.assertEqual(seen_digest([A, B]), seen_digest([B, A]))
        self.assertNotEqual(seen_digest([A, B]), seen_digest([A]))

    def test_hosts_that_register_themselves_do_not_change_what_was_seen(self) -> None:
        leased = self.module(A, B, leases={B: Lease(30, 1000, "ann")})
        self.assertEqual((leased.kept_by_people, leased.seen), ((A,), self.module(A).seen))

    def test_etag_changes_with_hosts_names_and_leases(self) -> None:
        leased = self.module(A, leases={A: Lease(30, 1000, "ann")})
        others = (self.module(A), self.module(A, B), self.module(A, name="mail"), leased)
        self.assertEqual(len({module.etag for module in others}), 4)

    def test_renewal_does_not_change_the_etag(self) -> None:
        one, renewed = (self.module(A, leases={A: Lease(30, at, "ann")}) for at in (1000, 2000))
        self.assertEqual(one.etag, renewed.etag)


class SeenByTests(SynchronousTestCase):
    """Two edits conflict if the second is based on what the first has changed, and only then."""

    def setUp(self) -> None:
        self.module = Module(PAY, "", "", (A, B), {}, {A: HostRecord(weight=50), B: HostRecord()})
        self.host = RouteEdit(PAY, change={A: HostChange(note="new disk")})
        self.settings = RouteEdit(PAY, settings=lambda settings: settings)

    def changed_by(self, other: Module) -> list[bool]:
        edits = (RouteEdit(PAY, add=frozenset([A])), self.host, self.settings)
        return [self.module.seen_by(edit) != other.seen_by(edit) for edit in edits]

    def test_edit_of_a_host_is_based_on_the_record_of_that_host(self) -> None:
        self.assertEqual(
            self.changed_by(replace(self.module, records={A: HostRecord(weight=60)})), [False, True, False]
        )
        self.assertEqual(
            self.changed_by(replace(self.module, records={A: HostRecord(weight=50)})), [False, False, False]
        )

    def test_edit_of_a_host_that_is_removed_meanwhile_is_a_conflict(self) -> None:
        self.assertEqual(
            self.changed_by(replace(self.module, hosts=(B,), records={B: HostRecord()})), [True, True, False]
        )

    def test_edit_of_settings_is_based_on_the_settings(self) -> None:
        self.assertEqual(self.changed_by(replace(self.module, settings='{"panic":false}')), [False, False, True])
