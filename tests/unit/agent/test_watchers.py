"""Who watches a module, and how much a shard sends to watchers."""

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.watchers import LONGEST_WATCH, MAX_WATCHERS, NoticeBudget, Watchers


def process(number: int) -> tuple[str, int]:
    return ("127.0.0.1", 40_000 + number)


class WatchersTests(SynchronousTestCase):
    def test_others_are_those_that_watch_now_without_the_one_that_has_reported(self) -> None:
        watchers = Watchers()
        for number, seconds in ((1, 3.0), (2, 3.0), (3, 1.0)):
            watchers.watch(process(number), seconds, 100.0)
        self.assertEqual(list(watchers.others(process(1), 102.0)), [process(2)])
        self.assertEqual(list(watchers.others(None, 102.0)), [process(1), process(2)])
        self.assertEqual(list(watchers.others(None, 103.0)), [])

    def test_no_process_watches_for_longer_than_the_limit(self) -> None:
        watchers = Watchers()
        watchers.watch(process(1), 1e9, 0.0)
        self.assertEqual(list(watchers.others(None, LONGEST_WATCH)), [])

    def test_number_is_bounded_and_those_that_have_ended_make_room(self) -> None:
        watchers = Watchers()
        for number in range(MAX_WATCHERS + 10):
            watchers.watch(process(number), 10.0, 0.0)
        self.assertEqual(len(list(watchers.others(None, 1.0))), MAX_WATCHERS)
        watchers.watch(process(9_999), 10.0, 20.0)
        self.assertEqual(list(watchers.others(None, 21.0)), [process(9_999)])


class NoticeBudgetTests(SynchronousTestCase):
    def test_so_many_at_once_and_as_many_a_second(self) -> None:
        budget = NoticeBudget(100)
        self.assertEqual(sum(budget.take(50.0) for _ in range(500)), 100)
        self.assertEqual(sum(budget.take(50.5) for _ in range(500)), 50)
        self.assertEqual(sum(budget.take(1_000.0) for _ in range(500)), 100)
