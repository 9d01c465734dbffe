"""Ejections, detected from the order of choices."""

from collections.abc import Iterable

from twisted.trial.unittest import SynchronousTestCase

from lars.balancing.classic import Classic, ClassicSettings
from lars.balancing.host import Host, HostState
from lars.cli.demo.ejections import Change, EjectionDetector, Transition
from lars.route import HostAddress
from tests.unit.balancing.draws import FirstHost


def choices(pattern: Iterable[str]) -> EjectionDetector:
    """A detector that has seen these nodes chosen, one after the other, a second apart."""
    detector = EjectionDetector()
    for number, node in enumerate(pattern, 1):
        detector.chosen(number, float(number), node)
    return detector


PROBED = "abd" * 3 + "a" + "c" + "bda" * 3 + "b" + "c" + "dab" * 3 + "d" + "c"
"""Three healthy nodes, while every 11th request probes c."""


class EjectionDetectorTests(SynchronousTestCase):
    def test_even_choices_change_nothing(self) -> None:
        self.assertEqual(choices("abcd" * 100).changes, [])

    def test_one_missed_round_changes_nothing(self) -> None:
        self.assertEqual(choices("abcd" * 5 + "abd" + "abcd" * 5).changes, [])

    def test_a_node_that_is_only_probed_is_ejected_from_after_its_last_regular_choice(self) -> None:
        detector = choices("abcd" * 5 + PROBED)
        self.assertEqual(detector.changes, [Change("c", Transition.EJECTED, 20, 19.0)])
        self.assertTrue(detector.is_ejected("c"))
        self.assertFalse(detector.is_ejected("a"))

    def test_it_is_noticed_before_the_first_probe(self) -> None:
        self.assertFalse(choices("abcd" * 5 + "abdabda").is_ejected("c"))
        self.assertTrue(choices("abcd" * 5 + "abdabdab").is_ejected("c"))

    def test_a_node_is_restored_with_its_first_choice_at_the_regular_pace(self) -> None:
        detector = choices("abcd" * 5 + PROBED + "abdc" * 3)
        self.assertEqual(
            detector.changes,
            [Change("c", Transition.EJECTED, 20, 19.0), Change("c", Transition.RESTORED, 57, 57.0)],
        )
        self.assertFalse(detector.is_ejected("c"))

    def test_one_early_choice_is_no_restoration(self) -> None:
        detector = choices("abcd" * 5 + PROBED + "abc" + PROBED)
        self.assertEqual([change.transition for change in detector.changes], [Transition.EJECTED])

    def test_a_node_can_be_ejected_again(self) -> None:
        detector = choices("abcd" * 5 + PROBED + "abdc" * 3 + PROBED)
        self.assertEqual(
            [c.transition for c in detector.changes], [Transition.EJECTED, Transition.RESTORED, Transition.EJECTED]
        )

    def test_a_node_that_joins_late_is_healthy_at_once(self) -> None:
        detector = choices("abcd" * 5 + "abcde" * 20)
        self.assertEqual(detector.changes, [])
        self.assertEqual(detector.first_choice["e"], 25.0)

    def test_two_nodes_can_be_ejected_at_a_time(self) -> None:
        detector = choices("abcd" * 5 + "ab" * 5)
        self.assertEqual({change.node for change in detector.changes}, {"c", "d"})

    def test_it_sees_what_the_policy_does(self) -> None:
        """One of four hosts fails from call 1001 to call 2000; the policy's own changes say when it acts."""
        policy: Classic[Host] = Classic(ClassicSettings(), FirstHost())
        policy.rebuild([Host(HostAddress(1, port)) for port in range(1, 5)], 0.0)
        detector = EjectionDetector()
        acted = []
        for number in range(1, 3001):
            host = policy.pick(0, 0.0)
            assert host is not None
            detector.chosen(number, float(number), str(host.address.port))
            policy.report(host, host.address.port == 3 and 1000 < number <= 2000, 0.001, 0.0)
            acted += [(number, change.state is HostState.EJECTED) for change in policy.sweep(0.0)]
        (ejected_at, ejected), (restored_at, still_ejected) = acted
        self.assertTrue(ejected and not still_ejected)
        ejection, restoration = detector.changes
        self.assertEqual(
            (ejection.node, ejection.transition, ejection.number),
            ("3", Transition.EJECTED, ejected_at + 1),
        )
        self.assertEqual((restoration.node, restoration.transition), ("3", Transition.RESTORED))
        self.assertLessEqual(restoration.number - restored_at, 4)

    def test_an_unknown_node_is_not_ejected(self) -> None:
        self.assertFalse(EjectionDetector().is_ejected("a"))
