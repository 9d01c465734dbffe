"""Networks as they are written, and what is in them."""

from twisted.trial.unittest import SynchronousTestCase

from lars.errors import SettingsError
from lars.networks import is_loopback, networks, origin


class NetworksTests(SynchronousTestCase):
    def test_an_address_is_in_the_networks_that_hold_it(self) -> None:
        some = networks("10.0.0.0/8, 192.168.1.7,fd00::/8")
        for host, is_in in (
            ("10.255.0.1", True),
            ("11.0.0.1", False),
            ("192.168.1.7", True),
            ("192.168.1.8", False),
            ("fd12::1", True),
            ("fe80::1%eth0", False),
            ("::ffff:10.1.1.1", True),
            ("::ffff:11.1.1.1", False),
            ("", False),
            ("a name", False),
        ):
            with self.subTest(host):
                self.assertEqual(host in some, is_in)

    def test_no_networks_hold_nothing(self) -> None:
        self.assertFalse(networks(" "))
        self.assertNotIn("10.0.0.1", networks(""))

    def test_every_ipv4_address_is_in_the_network_of_all(self) -> None:
        self.assertIn("203.0.113.9", networks("0.0.0.0/0"))
        self.assertNotIn("fd00::1", networks("0.0.0.0/0"))

    def test_what_is_no_network_is_refused_with_what_to_write(self) -> None:
        for text in ("10.0.0.0/33", "10.0.0.1/8", "dns1.example", "10.0.0.0/8,,", "0"):
            with self.assertRaisesRegex(SettingsError, "is no network .*: write one such as 10.0.0.0/8"):
                networks(text)

    def test_networks_show_as_they_were_written(self) -> None:
        self.assertEqual(str(networks("10.0.0.0/8,192.168.1.7")), "10.0.0.0/8, 192.168.1.7/32")


class OriginTests(SynchronousTestCase):
    def test_ipv4_addresses_stand_for_themselves(self) -> None:
        self.assertEqual((origin("10.0.0.1"), origin("::ffff:10.0.0.1")), ("10.0.0.1", "10.0.0.1"))

    def test_ipv6_addresses_of_one_64_bit_network_are_one(self) -> None:
        self.assertEqual(origin("2001:db8:1:2:3::1"), origin("2001:db8:1:2:ffff::9"))
        self.assertNotEqual(origin("2001:db8:1:2:3::1"), origin("2001:db8:1:3:3::1"))

    def test_loopback_is_the_machine_itself(self) -> None:
        for host, is_it in (("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("10.0.0.1", False), ("", False)):
            self.assertEqual(is_loopback(host), is_it, host)
