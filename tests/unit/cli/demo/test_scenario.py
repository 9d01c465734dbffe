"""The demo's story."""

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.demo.scenario import Cue, Story, Timing

TIMING = Timing(steady=6, failing=8, returned=3, return_limit=8, joined=3, join_limit=4)


class StoryTests(SynchronousTestCase):
    def told(self, *upto: tuple[float, Cue]) -> Story:
        """A story that has come so far."""
        story = Story(0.0, TIMING)
        for now, cue in upto:
            self.assertEqual(story.advance(now, None, None), cue)
        return story

    def test_nothing_happens_before_its_time(self) -> None:
        self.assertIsNone(self.told().advance(5.9, None, None))

    def test_the_node_fails_after_the_steady_scene_and_heals_after_the_failing_one(self) -> None:
        story = self.told((6.0, Cue.FAIL))
        self.assertIsNone(story.advance(13.9, None, None))
        self.assertEqual(story.advance(14.0, None, None), Cue.HEAL)

    def test_a_node_is_added_a_while_after_the_healed_one_returned(self) -> None:
        story = self.told((6.0, Cue.FAIL), (14.0, Cue.HEAL))
        self.assertIsNone(story.advance(17.9, 15.0, None))
        self.assertEqual(story.advance(18.0, 15.0, None), Cue.ADD)

    def test_a_node_is_added_even_if_the_healed_one_does_not_return(self) -> None:
        story = self.told((6.0, Cue.FAIL), (14.0, Cue.HEAL))
        self.assertIsNone(story.advance(21.9, None, None))
        self.assertEqual(story.advance(22.0, None, None), Cue.ADD)

    def test_the_story_ends_a_while_after_the_added_nodes_first_call(self) -> None:
        story = self.told((6.0, Cue.FAIL), (14.0, Cue.HEAL), (22.0, Cue.ADD))
        self.assertIsNone(story.advance(25.9, None, 23.0))
        self.assertEqual(story.advance(26.0, None, 23.0), Cue.END)

    def test_the_story_ends_even_if_the_added_node_gets_no_call(self) -> None:
        story = self.told((6.0, Cue.FAIL), (14.0, Cue.HEAL), (22.0, Cue.ADD), (26.0, Cue.END))
        self.assertIsNone(story.advance(100.0, None, None))

    def test_the_longest_story_leaves_time_to_set_up_and_clean_up_within_forty_seconds(self) -> None:
        timing = Timing()
        longest = timing.steady + timing.failing + timing.return_limit + timing.returned
        self.assertLessEqual(longest + timing.join_limit + timing.joined, 32)
