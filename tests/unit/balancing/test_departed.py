"""Which hosts that left are remembered, for how long, and how many."""

from twisted.trial.unittest import SynchronousTestCase

from lars.balancing.departed import MAX_DEPARTED, Departed
from lars.balancing.host import Host
from lars.balancing.record import Record
from lars.route import HostAddress


def record(number: int) -> Record[Host]:
    return Record(Host(HostAddress(1, number)), 0.0)


class DepartedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.departed: Departed[Host] = Departed(60.0)

    def test_host_is_taken_back_once_as_it_was_when_it_left(self) -> None:
        leaving = record(1)
        leaving.strikes = 3
        self.departed.add(leaving, 10.0)
        leaving.strikes = 0
        taken = self.departed.take(HostAddress(1, 1), 70.0)
        assert taken is not None
        self.assertEqual((taken[0], taken[1].strikes), (10.0, 3))
        self.assertIsNone(self.departed.take(HostAddress(1, 1), 70.0))

    def test_host_is_forgotten_after_its_time(self) -> None:
        self.departed.add(record(1), 10.0)
        self.departed.add(record(2), 11.0)
        self.departed.forget(70.5)
        self.assertEqual(len(self.departed), 1)
        self.assertIsNone(self.departed.take(HostAddress(1, 2), 71.5))
        self.assertEqual(len(self.departed), 0)

    def test_host_that_leaves_again_is_remembered_from_then_on(self) -> None:
        for now in (0.0, 50.0):
            self.departed.add(record(1), now)
            self.departed.add(record(2), 20.0 + now / 10)
        self.assertIsNotNone(self.departed.take(HostAddress(1, 1), 100.0))

    def test_only_so_many_are_remembered_the_last_ones(self) -> None:
        for number in range(MAX_DEPARTED + 10):
            self.departed.add(record(number), 0.0)
        self.assertEqual(len(self.departed), MAX_DEPARTED)
        self.assertIsNone(self.departed.take(HostAddress(1, 9), 0.0))
        self.assertIsNotNone(self.departed.take(HostAddress(1, 10), 0.0))
