"""The estimate of the database's clock."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from lars.db.clock import READ_INTERVAL, DatabaseClock
from tests.unit.db.memory import MemoryDatabase

EPOCH = 1_795_362_600.0


class DatabaseClockTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Clock()
        self.ahead = 20.0
        self.clock = DatabaseClock(None, self.reactor, lambda: EPOCH + self.reactor.seconds() + self.ahead)

    def test_it_is_the_machines_clock_until_the_first_read(self) -> None:
        self.assertEqual((self.clock.now(), self.clock.skew), (EPOCH + 20, 0))

    def test_it_follows_the_database_whatever_the_machines_clock_does(self) -> None:
        self.clock.observe(EPOCH, 0, 0)
        self.reactor.advance(5)
        self.ahead = -3600
        self.assertEqual((self.clock.now(), self.clock.skew), (EPOCH + 5, -3600))

    def test_slow_answer_moves_it_no_further_than_it_must(self) -> None:
        self.clock.observe(EPOCH, 0, 0)
        for then, asked, answered, expected in (
            (EPOCH + 2, 0, 10, EPOCH),
            (EPOCH - 3, 0, 1, EPOCH - 3),
            (EPOCH + 30, 10, 14, EPOCH + 16),
        ):
            self.clock.observe(then, asked, answered)
            self.assertEqual(self.clock.now(), expected)

    def test_clock_that_is_off_is_warned_about_once(self) -> None:
        with capturedLogs() as events:
            for _ in range(3):
                self.clock.observe(EPOCH + self.reactor.seconds(), self.reactor.seconds(), self.reactor.seconds())
                self.reactor.advance(10)
        [line] = [formatEvent(event) or "" for event in events]
        self.assertIn("the clock of this machine is 20 s ahead of the database's", line)

    def test_database_is_read_at_intervals(self) -> None:
        clock = DatabaseClock(MemoryDatabase(), self.reactor, lambda: 0.0)
        clock.start()
        first = clock.now()
        self.assertGreater(first, EPOCH / 2)
        self.reactor.advance(READ_INTERVAL)
        self.assertLess(abs(clock.now() - first), READ_INTERVAL + 60)
        self.successResultOf(Deferred.fromCoroutine(clock.stop()))
        self.assertEqual(self.reactor.getDelayedCalls(), [])
