"""What the names below the domain stand for."""

from twisted.trial.unittest import SynchronousTestCase

from lars.errors import SettingsError
from lars.gateway.dns.labels import Labels
from lars.gateway.dns.zone import Kind, Zone, parse_domain
from lars.route import ModuleId, parse_ip


class ZoneTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.zone = Zone(
            parse_domain("lars."), Labels(modids={b"payments": 7}, cmdids={b"authorize": 2, b"payments": 9})
        )

    def test_names(self) -> None:
        for name, kind in (
            ("lars", Kind.APEX),
            ("LaRS", Kind.APEX),
            ("", Kind.OUTSIDE),
            ("example.org", Kind.OUTSIDE),
            ("1.1.polars", Kind.OUTSIDE),
            ("1.1.lars.example", Kind.OUTSIDE),
            ("1.lars", Kind.PARENT),
            ("x.lars", Kind.NOTHING),
            ("01.lars", Kind.NOTHING),
            ("1.1.lars", Kind.MODULE),
            ("0.7.LARS", Kind.MODULE),
            ("0.0.lars", Kind.NOTHING),
            ("2147483647.1.lars", Kind.MODULE),
            ("2147483648.1.lars", Kind.NOTHING),
            ("-1.1.lars", Kind.NOTHING),
            ("01.1.lars", Kind.NOTHING),
            ("_tcp.1.1.lars", Kind.PARENT),
            ("_lars._tcp.1.1.lars", Kind.SERVICE),
            ("_LARS._TCP.1.1.lars", Kind.SERVICE),
            ("_http._tcp.1.1.lars", Kind.NOTHING),
            ("_lars._udp.1.1.lars", Kind.NOTHING),
            ("10-0-0-5.1.1.lars", Kind.HOST),
            ("10-0-0-256.1.1.lars", Kind.NOTHING),
            ("10-0-0.1.1.lars", Kind.NOTHING),
            ("a.b.c.1.1.lars", Kind.NOTHING),
            (".1.lars", Kind.NOTHING),
            ("..lars", Kind.NOTHING),
            ("payments.lars", Kind.PARENT),
            ("authorize.Payments.lars", Kind.MODULE),
            ("2.payments.lars", Kind.MODULE),
            ("authorize.7.lars", Kind.MODULE),
            ("_lars._tcp.authorize.payments.lars", Kind.SERVICE),
            ("payments.authorize.lars", Kind.NOTHING),
            ("authorize.authorize.lars", Kind.NOTHING),
            ("refund.payments.lars", Kind.NOTHING),
        ):
            with self.subTest(name):
                self.assertIs(self.zone.owner(name.encode()).kind, kind)

    def test_the_function_comes_before_the_business(self) -> None:
        for name in (b"2.7.lars", b"authorize.payments.lars", b"2.payments.lars"):
            self.assertEqual(self.zone.owner(name).module, ModuleId(modid=7, cmdid=2))

    def test_the_name_of_a_host_leads_back_to_it(self) -> None:
        ip = parse_ip("10.0.0.5")
        name = self.zone.host_name(ModuleId(7, 2), ip)
        self.assertEqual(name, b"10-0-0-5.2.7.lars")
        owner = self.zone.owner(name)
        self.assertEqual((owner.module, owner.ip), (ModuleId(7, 2), ip))

    def test_any_bytes_are_a_name(self) -> None:
        self.assertIs(self.zone.owner(b"\xff-0-0-5.1.1.lars").kind, Kind.NOTHING)

    def test_domain_may_have_several_labels(self) -> None:
        zone = Zone(parse_domain("Svc.Example.ORG"), Labels())
        self.assertIs(zone.owner(b"1.1.svc.example.org").kind, Kind.MODULE)
        self.assertIs(zone.owner(b"1.1.example.org").kind, Kind.OUTSIDE)

    def test_what_is_no_domain_is_refused(self) -> None:
        for text in ("", ".", "a..b", "-a", "a b", "ö", "a" * 64, ".".join(["a" * 50] * 4)):
            with self.subTest(text):
                self.assertRaises(SettingsError, parse_domain, text)
