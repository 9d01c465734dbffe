"""Faults of the database: logged on change, then at most once a minute, and retried with growing delays."""

from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from lars.db.faults import MAX_BACKOFF, DatabaseFaults


class DatabaseFaultsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.faults = DatabaseFaults(self.clock, 1.0, lambda: "serving the last 3 modules")

    def query_fails(self, text: str = "db: look: refused") -> list[str]:
        """One failed query; what is logged."""
        with capturedLogs() as events:
            is_logged = self.faults.failed(text, self.clock.seconds())
        self.assertEqual(is_logged, bool(events))
        return [event["log_format"].format(**event) for event in events]

    def query_works(self) -> list[str]:
        """One query that is answered; what is logged."""
        with capturedLogs() as events:
            self.faults.worked()
        return [event["log_format"].format(**event) for event in events]

    def delay(self) -> float:
        """Seconds until the next attempt."""
        now, waited = self.clock.seconds(), 0.0
        while not self.faults.may_try(now + waited):
            waited += 0.25
        return waited

    def test_fault_is_logged_with_what_is_done_about_it(self) -> None:
        self.assertEqual(self.query_fails(), ["db: look: refused; serving the last 3 modules, trying again"])
        self.assertEqual((self.faults.text, self.faults.count), ("db: look: refused", 1))

    def test_fault_that_goes_on_is_logged_once_a_minute(self) -> None:
        lines = 0
        for _ in range(121):
            lines += len(self.query_fails())
            self.clock.advance(1)
        self.assertEqual((lines, self.faults.count), (3, 121))

    def test_another_fault_is_logged_at_once_and_so_is_the_first_when_it_comes_back(self) -> None:
        for text in ("lost", "refused", "lost"):
            self.assertEqual(len(self.query_fails(text)), 1)
            self.assertEqual(self.query_fails(text), [])

    def test_end_is_logged_once_and_the_next_fault_at_once(self) -> None:
        self.query_fails()
        self.assertEqual(self.query_works(), ["the database answers again"])
        self.assertEqual((self.query_works(), self.faults.text), ([], ""))
        self.assertEqual(len(self.query_fails()), 1)

    def test_database_that_answers_is_asked_at_any_time(self) -> None:
        self.assertEqual(self.delay(), 0)

    def test_pauses_grow_to_a_limit_and_start_anew_after_an_answer(self) -> None:
        delays = []
        for _ in range(6):
            self.query_fails()
            delays.append(self.delay())
        self.assertEqual(delays, [1, 2, 4, 8, MAX_BACKOFF, MAX_BACKOFF])
        self.query_works()
        self.assertEqual(self.delay(), 0)
        self.query_fails()
        self.assertEqual(self.delay(), 1)

    def test_pause_stays_at_the_limit_however_long_it_goes_on(self) -> None:
        for _ in range(5_000):
            self.query_fails()
        self.assertEqual(self.delay(), MAX_BACKOFF)
