"""Which silent hosts may leave."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.db.leases import Silence
from lars.route import HostAddress, ModuleId
from lars.web.registry.leases import leaving

M = ModuleId(1, 1)
HOSTS = tuple(HostAddress(1, port) for port in range(1, 100))


def silence(alive: int, silent: int, left_lately: int = 0) -> Silence:
    return Silence(M, alive, HOSTS[:silent], left_lately)


class LeavingTests(SynchronousTestCase):
    def test_few_silent_hosts_leave(self) -> None:
        self.assertEqual(leaving(silence(4, 2), 0.5), frozenset(HOSTS[:2]))

    def test_of_all_at_once_the_longest_silent_half_leaves(self) -> None:
        self.assertEqual(leaving(silence(0, 6), 0.5), frozenset(HOSTS[:3]))

    def test_those_that_left_lately_count(self) -> None:
        self.assertEqual(leaving(silence(0, 3, 3), 0.5), frozenset())

    def test_last_host_stays(self) -> None:
        self.assertEqual(leaving(silence(0, 1), 0.9), frozenset())

    def test_ratio_of_one_lets_all_leave(self) -> None:
        self.assertEqual(leaving(silence(0, 2, 5), 1.0), frozenset(HOSTS[:2]))

    @given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.floats(0, 1))
    def test_never_more_than_the_share(self, alive: int, silent: int, lately: int, ratio: float) -> None:
        left = len(leaving(silence(alive, silent, lately), ratio))
        whole = alive + silent + lately
        self.assertTrue(left == 0 or left + lately <= whole * ratio + 1e-6)
