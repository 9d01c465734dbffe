"""Keys of reported results: hosts as integers, and the run of a group."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.db.report_rows import Group, Rows, pack_host

hosts = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1))


class PackHostTests(SynchronousTestCase):
    @given(hosts, hosts)
    def test_packed_hosts_sort_as_address_and_port(self, one: tuple[int, int], other: tuple[int, int]) -> None:
        self.assertEqual(pack_host(*one) < pack_host(*other), one < other)

    @given(hosts)
    def test_address_and_port_can_be_read_back(self, host: tuple[int, int]) -> None:
        packed = pack_host(*host)
        self.assertEqual((packed >> 16, packed & 0xFFFF), host)


class GroupTests(SynchronousTestCase):
    def test_run_is_caller_and_boot(self) -> None:
        self.assertEqual(Group(7, 2**63, 1, 2).run, (7, 2**63))

    def test_groups_do_not_share_their_rows(self) -> None:
        one, other = Group(1, 1, 1, 1), Group(2, 1, 1, 1)
        one.rows.calls[0, 1, 1] = {}
        self.assertEqual(other.rows, Rows())
