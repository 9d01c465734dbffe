"""When each step of the demo comes."""

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.demo.scenario import Scenario, Seen, Step, Timing

NOTHING_SEEN = Seen()

TIMING = Timing(
    steady=6,
    probed=1,
    probe_limit=9,
    recovered=2,
    slow=5,
    regained=1,
    regain_limit=12,
    joined=3,
    join_limit=4,
)

UNTIL_FAST = ((6.0, Step.FAIL), (15.0, Step.RECOVER), (17.0, Step.SLOW_DOWN), (22.0, Step.SPEED_UP))
"""The steps up to a time when nothing that the scenario waits for is ever seen."""


class ScenarioTests(SynchronousTestCase):
    def after(self, *upto: tuple[float, Step]) -> Scenario:
        """A scenario that has taken these steps."""
        scenario = Scenario(0.0, TIMING)
        for now, step in upto:
            self.assertEqual(scenario.advance(now, Seen()), step)
        return scenario

    def assert_next(self, scenario: Scenario, at: float, step: Step, seen: Seen = NOTHING_SEEN) -> None:
        """The next step comes at this time, and not before."""
        self.assertIsNone(scenario.advance(at - 0.1, seen))
        self.assertEqual(scenario.advance(at, seen), step)

    def test_a_node_fails_after_the_steady_phase(self) -> None:
        self.assert_next(self.after(), 6.0, Step.FAIL)

    def test_it_recovers_a_while_after_a_failed_probe(self) -> None:
        self.assert_next(self.after((6.0, Step.FAIL)), 13.0, Step.RECOVER, Seen(probed_at=12.0))

    def test_it_recovers_even_if_it_is_not_probed(self) -> None:
        self.assert_next(self.after((6.0, Step.FAIL)), 15.0, Step.RECOVER)

    def test_another_node_is_slow_while_it_waits_for_its_next_probe(self) -> None:
        scenario = self.after((6.0, Step.FAIL), (15.0, Step.RECOVER))
        self.assert_next(scenario, 17.0, Step.SLOW_DOWN)
        self.assert_next(scenario, 22.0, Step.SPEED_UP)

    def test_a_node_is_added_a_while_after_the_full_share_is_back(self) -> None:
        self.assert_next(self.after(*UNTIL_FAST), 26.0, Step.ADD, Seen(regained_at=25.0))

    def test_a_node_is_added_even_if_the_full_share_does_not_come_back(self) -> None:
        self.assert_next(self.after(*UNTIL_FAST), 34.0, Step.ADD)

    def test_the_scenario_ends_a_while_after_the_added_nodes_first_call(self) -> None:
        scenario = self.after(*UNTIL_FAST, (34.0, Step.ADD))
        self.assert_next(scenario, 38.0, Step.END, Seen(joined_at=35.0))

    def test_the_scenario_ends_even_if_the_added_node_gets_no_call(self) -> None:
        scenario = self.after(*UNTIL_FAST, (34.0, Step.ADD), (38.0, Step.END))
        self.assertIsNone(scenario.advance(100.0, Seen()))

    def test_the_slow_phase_ends_before_the_second_probe_is_due(self) -> None:
        """Eight seconds after the first one at the soonest (docs/design/balancing.md, ejection)."""
        timing = Timing()
        self.assertLess(timing.probed + timing.recovered + timing.slow, 8.0)

    def test_the_longest_scenario_ends_within_three_quarters_of_a_minute(self) -> None:
        timing = Timing()
        failing = timing.steady + timing.probe_limit + timing.probed
        slow = timing.recovered + timing.slow
        self.assertLessEqual(failing + slow + timing.regain_limit + timing.regained + timing.join_limit, 45)
