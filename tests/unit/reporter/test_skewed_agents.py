"""An agent whose clock is off is warned about once."""

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from lars.reporter.skewed_agents import MAX_WARNED, SkewedAgents

A = 0x0A000001


class SkewedAgentsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.agents = SkewedAgents()

    def observe(self, *skews: int) -> list[str]:
        with capturedLogs() as events:
            for skew in skews:
                self.agents.observe(A, skew)
        return [formatEvent(event) or "" for event in events]

    def test_agent_is_warned_about_once_and_again_only_after_it_was_right(self) -> None:
        [line] = self.observe(-600, -601, -599)
        self.assertIn("the clock of agent 10.0.0.1 is 600 s behind", line)
        self.assertEqual((self.agents.seconds, self.agents.largest), ({A: -599}, 599))
        self.assertEqual(self.observe(4, -4), [])
        self.assertEqual((self.agents.seconds, self.agents.largest), ({}, 0))
        [line] = self.observe(5)
        self.assertIn("5 s ahead", line)

    def test_agent_that_reconnects_is_not_warned_about_again(self) -> None:
        self.observe(600)
        self.agents.forget(A)
        self.assertEqual((self.observe(600), self.agents.seconds), ([], {A: 600}))

    def test_warnings_are_bounded(self) -> None:
        with capturedLogs() as events:
            for caller in range(MAX_WARNED + 10):
                self.agents.observe(caller, 60)
        self.assertEqual((len(events), len(self.agents.seconds)), (MAX_WARNED, MAX_WARNED + 10))
