"""One run of an agent: its reports in order, each once, whatever was committed before by any reporter."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.reporter.agent_run import AgentRun


def spans(run: AgentRun) -> list[tuple[int, int]]:
    return [(group.first, group.last) for group in run.pending]


class AgentRunTests(SynchronousTestCase):
    def take(self, run: AgentRun, *seqs: int) -> list[int]:
        """The seqs that are counted."""
        return [seq for seq in seqs if run.group_for(seq) is not None]

    def test_reports_stay_apart_until_the_cursor_is_known_and_are_added_up_from_then_on(self) -> None:
        run = AgentRun(9, 7)
        self.assertEqual(self.take(run, 41, 42), [41, 42])
        self.assertEqual(spans(run), [(41, 41), (42, 42)])
        run.take_pending()
        run.commit(42, 0)
        self.assertEqual(self.take(run, 43, 44, 45), [43, 44, 45])
        self.assertEqual(spans(run), [(43, 45)])

    def test_reports_that_arrive_during_a_commit_form_a_new_group(self) -> None:
        run = AgentRun(9, 7, cursor=0)
        self.take(run, 1, 2)
        [group] = run.take_pending()
        self.take(run, 3, 4)
        self.assertEqual((group.first, group.last, spans(run)), (1, 2, [(3, 4)]))

    def test_repeats_are_recognized(self) -> None:
        run = AgentRun(9, 7)
        self.assertEqual(self.take(run, 1, 2, 1, 2, 3, 3), [1, 2, 3])
        run.take_pending()
        self.assertEqual(self.take(run, 1, 2, 3), [])
        run.commit(3, 0)
        self.assertEqual((self.take(run, 2, 3, 4), run.committed), ([4], 3))

    def test_cursor_that_another_reporter_has_moved_is_adopted(self) -> None:
        run = AgentRun(9, 7)
        self.take(run, 1)
        run.take_pending()
        run.commit(5, 0)
        self.assertEqual((self.take(run, 2, 5, 6), run.committed), ([6], 5))

    def test_starting_over_drops_pending_reports_and_accepts_them_again(self) -> None:
        run = AgentRun(9, 7, cursor=2)
        self.take(run, 3, 4)
        run.rows = 20
        self.assertEqual(run.start_over(3), 20)
        self.assertEqual((spans(run), run.rows, self.take(run, 3, 4, 5)), ([], 0, [4, 5]))

    @given(st.lists(st.integers(1, 30), max_size=60), st.lists(st.booleans(), min_size=60, max_size=60))
    def test_each_seq_is_in_one_group_for_any_repeats_and_commits(self, seqs: list[int], commits: list[bool]) -> None:
        run = AgentRun(9, 7)
        counted: list[tuple[int, int]] = []
        taken: list[int] = []
        for seq, commit in zip(seqs, commits, strict=False):
            taken += self.take(run, seq)
            if commit:
                counted += [(group.first, group.last) for group in run.take_pending()]
                run.commit(run.taken, 0)
        counted += spans(run)
        self.assertEqual(taken, sorted(set(taken)))
        for (_, last), (first, _) in pairwise(counted):
            self.assertLess(last, first)
        self.assertTrue(all(sum(first <= seq <= last for first, last in counted) == 1 for seq in taken))
