"""Calls to hosts outside the route: counted, bounded, and taken once."""

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.unrouted_counts import MAX_UNROUTED, UnroutedCounts
from lars.route import HostAddress


class UnroutedCountsTests(SynchronousTestCase):
    def test_calls_add_up_by_host_and_are_taken_once(self) -> None:
        counts = UnroutedCounts()
        self.assertFalse(counts)
        counts.count(HostAddress(1, 80), False)
        counts.count(HostAddress(1, 80), True)
        counts.count(HostAddress(2, 80), False, 40)
        self.assertTrue(counts)
        self.assertEqual(counts.take(), {HostAddress(1, 80): (1, 1), HostAddress(2, 80): (40, 0)})
        self.assertEqual(counts.take(), {})

    def test_hosts_beyond_the_limit_are_dropped_and_counted_as_dropped(self) -> None:
        counts = UnroutedCounts()
        for n in range(MAX_UNROUTED):
            counts.count(HostAddress(n, 80), False)
        counts.count(HostAddress(MAX_UNROUTED, 80), True, 3)
        counts.count(HostAddress(0, 80), False)
        self.assertEqual((counts.dropped, len(counts.take())), (3, MAX_UNROUTED))

    def test_calls_of_a_host_that_left_the_route_are_never_dropped(self) -> None:
        counts = UnroutedCounts()
        for n in range(MAX_UNROUTED + 1):
            counts.add(HostAddress(n, 80), 1, 0)
        self.assertEqual((counts.dropped, len(counts.take())), (0, MAX_UNROUTED + 1))
