"""Which posts of an alarm are queued, and which are only marked again."""

from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from lars.db.alarms import GIVEN_UP, POSTED, WAITING, Alarm, AlarmStore
from lars.db.engine import DatabaseAway
from lars.db.measurements import Subject
from lars.reporter.alarms.webhook import GIVE_UP_AFTER, Webhooks
from lars.runtime.reactor import IReactor

NOW = 1_795_362_600.0
OLD = int(NOW - GIVE_UP_AFTER) - 1


class Store:
    """Records the outcomes that are stored, and may fail."""

    def __init__(self) -> None:
        self.marked: list[tuple[int, bool, int]] = []
        self.fails = False

    async def mark_posted(self, alarm_id: int, cleared: bool, outcome: int) -> None:
        if self.fails:
            raise DatabaseAway("db: gone")
        self.marked.append((alarm_id, cleared, outcome))


class WebhooksTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.store = Store()
        clock = Clock()
        self.webhooks = Webhooks(cast(AlarmStore, self.store), cast(IReactor, clock), lambda: NOW)

    def post(self, url: str, raised_at: int, cleared_at: int = 0, raise_told: int = WAITING) -> None:
        alarm = Alarm(3, "x", "err_rate", Subject(1, 1), "bad", raised_at, cleared_at, "", raise_told, WAITING)
        self.successResultOf(Deferred.fromCoroutine(self.webhooks.post(alarm, url, ())))

    def test_what_is_too_old_is_given_up(self) -> None:
        self.post("http://a/", OLD, OLD)
        self.assertEqual(self.store.marked, [(3, False, GIVEN_UP), (3, True, GIVEN_UP)])
        self.assertEqual(self.webhooks.outcomes["given_up"], 2)

    def test_what_is_not_due_is_left_alone(self) -> None:
        self.post("http://a/", OLD, raise_told=POSTED)
        self.assertEqual(self.store.marked, [])

    def test_alarm_whose_rule_lost_its_webhook_is_given_up(self) -> None:
        self.post("", int(NOW))
        self.assertEqual(self.store.marked, [(3, False, GIVEN_UP)])

    def test_what_is_done_is_not_done_again_while_the_database_does_not_say_so(self) -> None:
        self.store.fails = True
        self.post("http://a/", OLD)
        self.post("http://a/", OLD)
        self.assertEqual(self.webhooks.outcomes["given_up"], 1)
        self.store.fails = False
        self.post("http://a/", OLD)
        self.assertEqual((self.store.marked, self.webhooks.outcomes["given_up"]), ([(3, False, GIVEN_UP)], 1))
