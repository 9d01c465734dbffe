"""Packed routes: what is packed is unpacked again, in few bytes (docs/design/dns.md, route table)."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.dns.packed_route import Route, RoutedHost, host_count, lost_a_host, pack, undrained, unpack
from lars.route import MAX_HOSTS, HostAddress

A, B = (10, 80), (11, 80)
HOSTS = st.lists(
    st.tuples(
        st.integers(1, 2**32 - 1), st.integers(1, 65535), st.integers(0, 1000), st.sampled_from(["", "a", "b.c-1"])
    ),
    min_size=1,
    max_size=20,
)


class PackedRouteTests(SynchronousTestCase):
    @given(HOSTS, st.sampled_from(["", '{"panic":false}', '{"x":"支"}']))
    def test_what_is_packed_is_unpacked_again(self, hosts: list[tuple[int, int, int, str]], settings: str) -> None:
        packed = pack(hosts, settings)
        wanted = tuple(RoutedHost(HostAddress(ip, port), weight, zone) for ip, port, weight, zone in hosts)
        self.assertEqual(unpack(packed), Route(wanted, settings))
        self.assertEqual(host_count(packed), len(hosts))

    def test_plain_hosts_take_six_bytes_each(self) -> None:
        self.assertEqual(len(pack([(*A, 100, ""), (*B, 100, "")])), 12)

    def test_a_module_without_hosts_takes_none(self) -> None:
        self.assertEqual(pack([], '{"panic":false}'), b"")
        self.assertEqual(unpack(b""), Route(()))

    def test_the_fullest_module_fits(self) -> None:
        hosts = [(ip, 65535, 1000, f"zone-{ip}") for ip in range(1, MAX_HOSTS + 1)]
        self.assertEqual(len(unpack(pack(hosts)).hosts), MAX_HOSTS)

    def test_agents_without_weights_get_the_hosts_that_have_some(self) -> None:
        self.assertEqual(list(undrained(pack([(*A, 0, ""), (*B, 5, "")]))), [B])
        self.assertEqual(list(undrained(pack([(*A, 0, ""), (*B, 0, "")]))), [A, B])

    def test_a_drained_host_is_lost_to_agents_without_weights(self) -> None:
        whole, drained = pack([(*A, 100, ""), (*B, 100, "")]), pack([(*A, 100, ""), (*B, 0, "")])
        self.assertTrue(lost_a_host(whole, drained))
        self.assertFalse(lost_a_host(drained, whole))
        self.assertFalse(lost_a_host(drained, pack([(*A, 70, "b")], '{"panic":false}')))
        self.assertTrue(lost_a_host(whole, b""))
