"""For what share of the last seconds callers have ejected a host."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.measurements import HostStates
from lars.reporter.alarms.window import Ejections, EjectionWindow


def states(ejected: int, callers: int = 4, ip: int = 5) -> HostStates:
    return HostStates(1, 1, ip, 80, callers, ejected, callers)


class EjectionWindowTests(SynchronousTestCase):
    def shares(self, window: EjectionWindow, now: float, *found: HostStates) -> list[tuple[int, float, float]]:
        return [(ejections.most, ejections.of_time, ejections.of_callers) for ejections in window.add(iter(found), now)]

    def test_host_that_returns_every_few_seconds_is_ejected_for_a_share_of_the_time(self) -> None:
        window = EjectionWindow(60, 1)
        for now in range(0, 60, 5):
            [last] = self.shares(window, now, states(4 if now % 15 else 0))
        self.assertEqual(last, (4, 8 / 12, 8 / 12))

    def test_share_of_time_counts_enough_callers_and_the_other_counts_each(self) -> None:
        window = EjectionWindow(60, 3)
        for now, ejected in enumerate((2, 3, 4, 0)):
            [last] = self.shares(window, now, states(ejected))
        self.assertEqual(last, (4, 2 / 4, 9 / 16))

    def test_what_is_older_than_the_window_does_not_count(self) -> None:
        window = EjectionWindow(60, 1)
        self.shares(window, 0, states(4))
        self.assertEqual(self.shares(window, 60, states(0)), [(4, 0.5, 0.5)])
        self.assertEqual(self.shares(window, 61, states(0)), [(0, 0.0, 0.0)])

    def test_host_that_is_not_found_now_is_not_returned(self) -> None:
        window = EjectionWindow(60, 1)
        self.shares(window, 0, states(4), states(1, ip=6))
        self.assertEqual(window.add([states(1, ip=6)], 5), [Ejections(states(1, ip=6), 1, 1.0, 0.25)])
