"""The states of hosts as people see them."""

from twisted.trial.unittest import SynchronousTestCase

from lars.host_condition import Condition, condition_of


class ConditionTests(SynchronousTestCase):
    def test_words_are_those_that_people_read(self) -> None:
        words = ["healthy", "ejected", "unhealthy", "draining", "warming up"]
        self.assertEqual([condition.word for condition in Condition], words)

    def test_healthy_and_warming_hosts_take_calls(self) -> None:
        takes = [condition for condition in Condition if condition.takes_calls]
        self.assertEqual(takes, [Condition.HEALTHY, Condition.WARMING_UP])

    def test_number_of_a_newer_program_has_the_fallback(self) -> None:
        self.assertIs(condition_of(3, Condition.HEALTHY), Condition.UNHEALTHY)
        for number in (0, 6, -1):
            self.assertIs(condition_of(number, Condition.EJECTED), Condition.EJECTED)
