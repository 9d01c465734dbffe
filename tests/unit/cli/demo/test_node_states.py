"""How the states of the nodes change, by what the agent says of them."""

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.demo.node_states import Change, NodeStates, Transition
from lars.cli.demo.record import Record


class NodeStatesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.record = Record()
        self.states = NodeStates()
        self.now = 0.0

    def call(self, node: str, times: int = 1, failing: bool = False) -> None:
        for _ in range(times):
            self.record.called(self.now, node)
            if failing:
                self.record.failed(node)

    def look(self, *ejected: str) -> list[tuple[str, Transition]]:
        """What a look at the agent, a tenth of a second later, finds to be new."""
        self.now = round(self.now + 0.1, 3)
        found = self.states.observe(self.now, {node: node in ejected for node in "abc"}, self.record)
        return [(change.node, change.transition) for change in found]

    def test_healthy_nodes_change_nothing_even_if_calls_fail(self) -> None:
        self.call("a", 5, failing=True)
        self.assertEqual((self.look(), self.look()), ([], []))

    def test_an_ejection_is_new_once_with_the_failures_until_it_was_seen(self) -> None:
        self.call("c", 3, failing=True)
        self.assertEqual(self.look("c"), [("c", Transition.EJECTED)])
        self.assertEqual(self.look("c"), [])
        self.assertEqual(self.states.changes, [Change("c", Transition.EJECTED, 0.1, 3)])
        self.assertTrue(self.states.is_ejected("c"))
        self.assertFalse(self.states.is_ejected("a"))

    def test_a_call_that_fails_while_a_node_is_ejected_is_a_probe(self) -> None:
        self.look("c")
        self.call("c", failing=True)
        self.assertEqual(self.look("c"), [("c", Transition.PROBE_FAILED)])
        self.assertEqual(self.look("c"), [])
        self.call("c", failing=True)
        self.assertEqual(self.look("c"), [("c", Transition.PROBE_FAILED)])

    def test_a_probe_that_still_runs_has_not_failed(self) -> None:
        self.look("c")
        self.call("c")
        self.assertEqual(self.look("c"), [])
        self.record.failed("c")
        self.assertEqual(self.look("c"), [("c", Transition.PROBE_FAILED)])

    def test_a_call_from_before_the_ejection_that_fails_after_it_is_no_probe(self) -> None:
        self.call("c")
        self.look("c")
        self.record.failed("c")
        self.assertEqual(self.look("c"), [])

    def test_a_node_is_restored_and_may_be_ejected_again(self) -> None:
        found = [self.look("c"), self.look(), self.look("c")]
        transitions = [transition for changes in found for _node, transition in changes]
        self.assertEqual(transitions, [Transition.EJECTED, Transition.RESTORED, Transition.EJECTED])

    def test_two_nodes_can_be_ejected_at_a_time(self) -> None:
        self.assertEqual({node for node, _transition in self.look("b", "c")}, {"b", "c"})

    def test_a_node_that_the_agent_does_not_have_yet_is_not_ejected(self) -> None:
        self.assertFalse(self.states.is_ejected("d"))
