"""When register asks."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from lars.client.polling import pauses


class PausesTests(SynchronousTestCase):
    def waited(self, timeout: float) -> list[float]:
        """The pauses of a caller for whom each query takes no time."""
        clock = Clock()
        found = []
        for pause in pauses(timeout, clock.seconds):
            found.append(pause)
            clock.advance(pause)
        return found

    def test_first_query_is_sent_at_once_and_the_last_at_the_timeout(self) -> None:
        for timeout in (0.01, 0.1, 1.0):
            found = self.waited(timeout)
            self.assertEqual(found[0], 0.0)
            self.assertAlmostEqual(sum(found), timeout)

    def test_pauses_double_up_to_a_tenth_of_a_second(self) -> None:
        found = self.waited(1.0)
        self.assertEqual(found[1:5], [0.01, 0.02, 0.04, 0.08])
        self.assertAlmostEqual(max(found), 0.1)

    def test_without_time_there_is_one_query(self) -> None:
        self.assertEqual(self.waited(0.0), [0.0])

    def test_slow_queries_count_toward_the_timeout(self) -> None:
        clock = Clock()
        schedule = pauses(1.0, clock.seconds)
        next(schedule)
        clock.advance(1.0)
        self.assertEqual(list(schedule), [])
