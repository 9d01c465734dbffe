"""A rotation is a queue whose first member, once returned, goes to the back."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.balancing.rotation import Rotation


class RotationTests(SynchronousTestCase):
    def test_members_take_turns_from_the_start(self) -> None:
        rotation = Rotation("abc", start=1)
        self.assertEqual("".join(rotation.next() for _ in range(7)), "bcabcab")

    def test_no_member_has_no_turn(self) -> None:
        rotation = Rotation("")
        self.assertRaises(StopIteration, rotation.next)
        rotation.add("a")
        rotation.remove("a")
        self.assertRaises(StopIteration, rotation.next)

    def test_a_member_that_is_none_cannot_be_removed(self) -> None:
        self.assertRaises(KeyError, Rotation("ab").remove, "c")

    def test_next_is_one_c_function_while_members_stay(self) -> None:
        rotation = Rotation("ab")
        self.assertEqual(type(rotation.next).__name__, "method-wrapper")
        rotation.add("c")
        rotation.next()
        self.assertEqual(type(rotation.next).__name__, "method-wrapper")

    @given(st.lists(st.tuples(st.sampled_from(["next", "add", "remove"]), st.integers(0, 5)), max_size=60))
    def test_it_does_what_a_queue_does(self, steps: list[tuple[str, int]]) -> None:
        queue: deque[int] = deque([0, 1, 2])
        rotation = Rotation([0, 1, 2])
        for step, member in steps:
            if step == "add" and member not in queue:
                queue.append(member)
                rotation.add(member)
            elif step == "remove" and member in queue:
                queue.remove(member)
                rotation.remove(member)
            elif step == "next" and queue:
                self.assertEqual(rotation.next(), queue[0])
                queue.rotate(-1)
            self.assertEqual(rotation.size, len(queue))
