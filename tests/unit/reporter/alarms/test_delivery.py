"""Posts to a webhook go out in order, each until it succeeds."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from lars.db.alarms import Alarm
from lars.db.measurements import Subject
from lars.reporter.alarms.delivery import MAX_DELAY, MAX_QUEUED, DeliveryQueue


def alarm(alarm_id: int) -> Alarm:
    return Alarm(alarm_id, "x", "err_rate", Subject(1, 1), "", 1, 0, "http://a/", 0, 0)


class DeliveryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.attempts: list[tuple[int, bool]] = []
        self.works = True
        self.delivery = DeliveryQueue(self.clock, self.attempt)

    async def attempt(self, alarm: Alarm, cleared: bool) -> bool:
        self.attempts.append((alarm.id, cleared))
        return self.works

    def test_queued_posts_go_out_in_order(self) -> None:
        self.delivery.add(alarm(1), False)
        self.delivery.add(alarm(2), False)
        self.delivery.add(alarm(1), True)
        self.assertEqual(self.attempts, [(1, False), (2, False), (1, True)])

    def test_failed_post_is_retried_with_backoff_and_delays_those_behind_it(self) -> None:
        self.works = False
        self.delivery.add(alarm(1), False)
        self.delivery.add(alarm(2), False)
        for delay in (1, 2, 4, 8, 16, 32, MAX_DELAY, MAX_DELAY):
            self.attempts.clear()
            self.clock.advance(delay - 0.1)
            self.assertEqual(self.attempts, [])
            self.clock.advance(0.1)
            self.assertEqual(self.attempts, [(1, False)])
        self.assertIn((2, False), self.delivery)
        self.works = True
        self.clock.advance(MAX_DELAY)
        self.assertEqual(self.attempts[1:], [(1, False), (2, False)])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_queue_is_bounded(self) -> None:
        self.works = False
        for number in range(MAX_QUEUED + 5):
            self.delivery.add(alarm(number), False)
        self.assertIn((MAX_QUEUED - 1, False), self.delivery)
        self.assertNotIn((MAX_QUEUED, False), self.delivery)
        self.successResultOf(Deferred.fromCoroutine(self.delivery.stop()))

    def test_stop_cancels_the_post_under_way_and_leaves_no_timer(self) -> None:
        self.works = False
        self.delivery.add(alarm(1), False)
        self.successResultOf(Deferred.fromCoroutine(self.delivery.stop()))
        self.assertEqual(self.clock.getDelayedCalls(), [])
