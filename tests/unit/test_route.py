"""Routes as a person writes them: what is taken, what is refused and in what words."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.errors import InvalidRoute
from lars.route import (
    MAX_ID,
    HostAddress,
    ModuleId,
    format_ip,
    module_id,
    parse_host,
    parse_ip,
    parse_port,
    shard_of,
)


class RouteCase(SynchronousTestCase):
    def assert_refused(self, parse: Callable[[str], object], *texts: str, saying: str) -> None:
        for text in texts:
            with self.assertRaises(InvalidRoute) as caught:
                parse(text)
            self.assertIn(saying, str(caught.exception))
            self.assertIn(repr(text.strip()), str(caught.exception))


class AddressTests(RouteCase):
    def test_the_number_is_in_host_order(self) -> None:
        self.assertEqual(parse_ip("192.168.1.177"), 3232235953)
        self.assertEqual(format_ip(3232235953), "192.168.1.177")

    @given(st.integers(0, 2**32 - 1))
    def test_every_address_reads_back(self, ip: int) -> None:
        self.assertEqual(parse_ip(format_ip(ip)), ip)

    def test_nothing_but_a_dotted_address_is_taken(self) -> None:
        texts = ("", "localhost", "10.0.0", "10.0.0.256", "10.0.0.1.2", "010.0.0.1", "10.0.0.1/8", "::1", "3232235953")
        self.assert_refused(parse_ip, *texts, saying="is not an IPv4 address: write it as 10.0.0.5")

    def test_ports_are_1_to_65535(self) -> None:
        self.assertEqual((parse_port("1"), parse_port("65535")), (1, 65535))
        texts = ("0", "65536", "-1", "+1", "", " 80", "8_0", "80.0", "٨٠", "²", "9" * 5000)
        for text in texts:
            with self.assertRaisesRegex(InvalidRoute, "is not a port: use a number from 1 to 65535"):
                parse_port(text)


class HostTests(RouteCase):
    @given(st.integers(0, 2**32 - 1), st.integers(1, 65535))
    def test_every_host_reads_back(self, ip: int, port: int) -> None:
        self.assertEqual(parse_host(str(HostAddress(ip, port))), HostAddress(ip, port))

    def test_the_wrong_part_is_named(self) -> None:
        self.assert_refused(parse_host, "10.0.0.1", "", "host", saying="is not a host: write IP:PORT")
        for text, part in (("db:80", "'db' is not an IPv4"), ("10.0.0.1:http", "'http' is not a port")):
            with self.assertRaisesRegex(InvalidRoute, part):
                parse_host(text)

    @given(st.text(max_size=30))
    def test_no_text_raises_anything_but_invalid_route(self, text: str) -> None:
        try:
            parse_host(text)
        except InvalidRoute as error:
            self.assertNotIn("\n", str(error))


class ModuleTests(RouteCase):
    def test_limits(self) -> None:
        self.assertEqual(module_id(0, 1), ModuleId(0, 1))
        self.assertEqual(module_id(MAX_ID, MAX_ID), ModuleId(MAX_ID, MAX_ID))
        self.assertEqual(str(module_id(1, 2)), "(1, 2)")

    def test_ids_out_of_range_are_named(self) -> None:
        for modid, cmdid, name in ((-1, 1, "modid -1"), (1, -1, "cmdid -1"), (2**31, 1, "modid 2147483648")):
            with self.assertRaisesRegex(InvalidRoute, f"{name} is out of range: use 0 to 2147483647"):
                module_id(modid, cmdid)

    def test_module_0_0_does_not_exist(self) -> None:
        with self.assertRaisesRegex(InvalidRoute, r"module \(0, 0\) does not exist"):
            module_id(0, 0)

    @given(st.integers(0, MAX_ID), st.integers(0, MAX_ID))
    def test_shard_is_the_remainder_of_the_sum(self, modid: int, cmdid: int) -> None:
        self.assertEqual(shard_of(ModuleId(modid, cmdid), 3), (modid + cmdid) % 3)
