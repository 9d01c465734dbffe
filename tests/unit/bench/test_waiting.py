"""Waiting with a deadline."""

from itertools import islice

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bench.processes.errors import ProcessError
from bench.processes.waiting import attempts, until


class WaitingTests(SynchronousTestCase):
    def test_attempts_go_on_until_the_deadline_has_passed_and_once_more(self) -> None:
        clock = Clock()
        times = []
        for _ in attempts(2.5, clock.seconds):
            times.append(clock.seconds())
            clock.advance(1)
        self.assertEqual(times, [0, 1, 2, 3])

    def test_machine_that_stalls_is_given_another_attempt(self) -> None:
        clock = Clock()
        tried = attempts(2.5, clock.seconds)
        next(tried)
        clock.advance(60)
        self.assertEqual(len(list(islice(tried, 5))), 1)

    def test_first_true_answer_ends_the_wait(self) -> None:
        answers = iter([0, None, "", "here", "later"])
        self.assertEqual(until(lambda: next(answers), "an answer", 10, 0), "here")

    def test_wait_in_vain_says_for_what(self) -> None:
        with self.assertRaises(ProcessError) as raised:
            until(lambda: False, "a miracle", 0, 0)
        self.assertEqual(str(raised.exception), "waited 0 s for a miracle")
