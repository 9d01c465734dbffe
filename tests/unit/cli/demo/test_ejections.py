"""The rotation, told from the order of choices."""

from collections.abc import Iterable

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.balancer import Balancer, BalancerSettings, Host
from lars.cli.demo.ejections import Change, Rotation, Turn
from lars.route import HostAddress


def choices(pattern: Iterable[str]) -> Rotation:
    """A rotation that has seen these nodes chosen, one after the other, a second apart."""
    rotation = Rotation()
    for number, node in enumerate(pattern, 1):
        rotation.chosen(number, float(number), node)
    return rotation


PROBED = "abd" * 3 + "a" + "c" + "bda" * 3 + "b" + "c" + "dab" * 3 + "d" + "c"
"""Three nodes in rotation while every 11th request probes c."""


class RotationTests(SynchronousTestCase):
    def test_even_choices_change_nothing(self) -> None:
        self.assertEqual(choices("abcd" * 100).changes, [])

    def test_one_missed_round_changes_nothing(self) -> None:
        self.assertEqual(choices("abcd" * 5 + "abd" + "abcd" * 5).changes, [])

    def test_a_node_that_is_only_probed_is_set_aside_from_after_its_last_regular_choice(self) -> None:
        rotation = choices("abcd" * 5 + PROBED)
        self.assertEqual(rotation.changes, [Change("c", Turn.SET_ASIDE, 20, 19.0)])
        self.assertTrue(rotation.is_aside("c"))
        self.assertFalse(rotation.is_aside("a"))

    def test_it_is_noticed_before_the_first_probe(self) -> None:
        self.assertFalse(choices("abcd" * 5 + "abdabda").is_aside("c"))
        self.assertTrue(choices("abcd" * 5 + "abdabdab").is_aside("c"))

    def test_a_node_has_returned_with_its_first_choice_at_the_regular_pace(self) -> None:
        rotation = choices("abcd" * 5 + PROBED + "abdc" * 3)
        self.assertEqual(
            rotation.changes,
            [Change("c", Turn.SET_ASIDE, 20, 19.0), Change("c", Turn.RETURNED, 57, 57.0)],
        )
        self.assertFalse(rotation.is_aside("c"))

    def test_one_early_choice_is_no_return(self) -> None:
        rotation = choices("abcd" * 5 + PROBED + "abc" + PROBED)
        self.assertEqual([change.turn for change in rotation.changes], [Turn.SET_ASIDE])

    def test_a_node_can_be_set_aside_again(self) -> None:
        rotation = choices("abcd" * 5 + PROBED + "abdc" * 3 + PROBED)
        self.assertEqual([c.turn for c in rotation.changes], [Turn.SET_ASIDE, Turn.RETURNED, Turn.SET_ASIDE])

    def test_a_node_that_joins_late_is_in_rotation_at_once(self) -> None:
        rotation = choices("abcd" * 5 + "abcde" * 20)
        self.assertEqual(rotation.changes, [])
        self.assertEqual(rotation.first_choice["e"], 25.0)

    def test_two_nodes_can_be_aside_at_a_time(self) -> None:
        rotation = choices("abcd" * 5 + "ab" * 5)
        self.assertEqual({change.node for change in rotation.changes}, {"c", "d"})

    def test_it_sees_what_the_balancer_does(self) -> None:
        """One of four hosts fails from call 1001 to call 2000; the balancer itself says when it acts."""
        balancer = Balancer(BalancerSettings(), Host)
        balancer.update([HostAddress(1, port) for port in range(1, 5)], 0.0)
        rotation = Rotation()
        acted = []
        for number in range(1, 3001):
            host = balancer.choose()
            assert host is not None
            rotation.chosen(number, float(number), str(host.address.port))
            balancer.report(host.address, host.address.port == 3 and 1000 < number <= 2000, 1, 0.0)
            acted += [(number, change.overloaded) for change in balancer.changes]
            balancer.changes.clear()
        (aside_at, aside), (back_at, still_aside) = acted
        self.assertTrue(aside and not still_aside)
        seen_aside, seen_back = rotation.changes
        self.assertEqual((seen_aside.node, seen_aside.turn, seen_aside.number), ("3", Turn.SET_ASIDE, aside_at + 1))
        self.assertEqual((seen_back.node, seen_back.turn), ("3", Turn.RETURNED))
        self.assertLessEqual(seen_back.number - back_at, 4)

    def test_an_unknown_node_is_not_aside(self) -> None:
        self.assertFalse(Rotation().is_aside("a"))
