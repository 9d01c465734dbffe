"""The address that names this machine in reports, whatever family its link has."""

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from lars.agent.links.caller import caller_on
from lars.route import parse_ip


class CallerTests(SynchronousTestCase):
    def test_it_is_the_local_address_of_an_ipv4_link(self) -> None:
        self.assertEqual(caller_on(IPv4Address("TCP", "10.1.2.3", 1)), parse_ip("10.1.2.3"))

    def test_it_is_the_ipv4_address_of_the_same_interface_where_ipv6_says_which(self) -> None:
        for host, ipv4 in (("::1", "127.0.0.1"), ("::ffff:10.1.2.3", "10.1.2.3")):
            self.assertEqual(caller_on(IPv6Address("TCP", host, 1)), parse_ip(ipv4))

    def test_over_another_ipv6_address_it_is_an_ipv4_address_of_the_machine_or_none(self) -> None:
        callers = {caller_on(IPv6Address("TCP", host, 1)) for host in ("fd00::2", "fe80::1%eth0")}
        self.assertEqual(len(callers), 1)
        self.assertNotEqual(callers, {parse_ip("203.0.113.1")})

    def test_there_is_none_on_a_link_without_addresses(self) -> None:
        self.assertEqual(caller_on(UNIXAddress(None)), 0)
