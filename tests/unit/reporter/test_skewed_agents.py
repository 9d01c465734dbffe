"""An agent whose clock is off is warned about once."""

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from lars.reporter.skewed_agents import MAX_WARNED, SETTLED, SkewedAgents

A = 0x0A000001


class SkewedAgentsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.agents = SkewedAgents()
        self.now = 100.0

    def observe(self, *skews: int) -> list[str]:
        with capturedLogs() as events:
            for skew in skews:
                self.agents.observe(A, skew, self.now)
                self.now += SETTLED
        return [formatEvent(event) or "" for event in events]

    def test_agent_is_warned_about_once_and_again_only_after_it_was_right(self) -> None:
        [line] = self.observe(-600, -601, -599)
        self.assertIn("the clock of agent 10.0.0.1 is 601 s behind", line)
        self.assertEqual((self.agents.seconds, self.agents.largest), ({A: -599}, 599))
        self.assertEqual(self.observe(4, -4), [])
        self.assertEqual((self.agents.seconds, self.agents.largest), ({}, 0))
        [line] = self.observe(5)
        self.assertIn("5 s ahead", line)

    def test_reports_that_waited_for_a_reporter_are_no_clock_that_is_behind(self) -> None:
        with capturedLogs() as events:
            for _ in range(64):
                self.agents.observe(A, -600, self.now)
            self.agents.observe(A, 0, self.now + 5)
            self.agents.observe(A, -600, self.now + 60)
        self.assertEqual((events, self.agents.seconds), ([], {A: -600}))

    def test_agent_that_reconnects_is_not_warned_about_again(self) -> None:
        self.observe(600)
        self.agents.forget(A)
        self.assertEqual((self.observe(600), self.agents.seconds), ([], {A: 600}))

    def test_warnings_are_bounded(self) -> None:
        with capturedLogs() as events:
            for caller in range(MAX_WARNED + 10):
                self.agents.observe(caller, 60, self.now)
        self.assertEqual((len(events), len(self.agents.seconds)), (MAX_WARNED, MAX_WARNED + 10))
