"""When each step of the demo comes."""

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.demo.scenario import Scenario, Step, Timing

TIMING = Timing(steady=6, failing=8, restored=3, restore_limit=8, joined=3, join_limit=4)


class ScenarioTests(SynchronousTestCase):
    def after(self, *upto: tuple[float, Step]) -> Scenario:
        """A scenario that has taken these steps."""
        scenario = Scenario(0.0, TIMING)
        for now, step in upto:
            self.assertEqual(scenario.advance(now, None, None), step)
        return scenario

    def test_nothing_happens_before_its_time(self) -> None:
        self.assertIsNone(self.after().advance(5.9, None, None))

    def test_the_node_fails_after_the_steady_phase_and_recovers_after_the_failing_one(self) -> None:
        scenario = self.after((6.0, Step.FAIL))
        self.assertIsNone(scenario.advance(13.9, None, None))
        self.assertEqual(scenario.advance(14.0, None, None), Step.RECOVER)

    def test_a_node_is_added_a_while_after_the_node_is_restored(self) -> None:
        scenario = self.after((6.0, Step.FAIL), (14.0, Step.RECOVER))
        self.assertIsNone(scenario.advance(17.9, 15.0, None))
        self.assertEqual(scenario.advance(18.0, 15.0, None), Step.ADD)

    def test_a_node_is_added_even_if_the_node_is_not_restored(self) -> None:
        scenario = self.after((6.0, Step.FAIL), (14.0, Step.RECOVER))
        self.assertIsNone(scenario.advance(21.9, None, None))
        self.assertEqual(scenario.advance(22.0, None, None), Step.ADD)

    def test_the_scenario_ends_a_while_after_the_added_nodes_first_call(self) -> None:
        scenario = self.after((6.0, Step.FAIL), (14.0, Step.RECOVER), (22.0, Step.ADD))
        self.assertIsNone(scenario.advance(25.9, None, 23.0))
        self.assertEqual(scenario.advance(26.0, None, 23.0), Step.END)

    def test_the_scenario_ends_even_if_the_added_node_gets_no_call(self) -> None:
        scenario = self.after((6.0, Step.FAIL), (14.0, Step.RECOVER), (22.0, Step.ADD), (26.0, Step.END))
        self.assertIsNone(scenario.advance(100.0, None, None))

    def test_the_longest_scenario_leaves_time_to_set_up_and_clean_up_within_forty_seconds(self) -> None:
        timing = Timing()
        longest = timing.steady + timing.failing + timing.restore_limit + timing.restored
        self.assertLessEqual(longest + timing.join_limit + timing.joined, 32)
