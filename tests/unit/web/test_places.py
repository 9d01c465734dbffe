"""Who gets a place, and who gives up theirs."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.web.places import Decision, Places

HERE, THERE = "10.0.0.1", "10.0.0.2"


class PlacesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.places: Places[int] = Places(4, 2)

    def arrive(self, connection: int, address: str) -> Decision[int]:
        decision = self.places.decide(address)
        if decision.admitted:
            self.places.arrived(connection, address)
        return decision

    def test_longest_waiting_stranger_of_an_address_leaves_for_another_of_it(self) -> None:
        for number in (1, 2):
            self.assertEqual(self.arrive(number, HERE), Decision(True))
        self.assertEqual(self.arrive(3, HERE), Decision(True, 1))
        self.assertEqual(self.arrive(4, THERE), Decision(True))
        self.assertEqual(len(self.places), 3)

    def test_longest_waiting_stranger_of_all_leaves_when_no_place_is_free(self) -> None:
        for number, address in ((1, HERE), (2, HERE), (3, THERE), (4, "10.0.0.3")):
            self.arrive(number, address)
        self.assertEqual(self.arrive(5, "10.0.0.4"), Decision(True, 1))

    def test_who_is_answered_waits_anew_and_meanwhile_keeps_the_place(self) -> None:
        self.arrive(1, HERE)
        self.arrive(2, HERE)
        self.places.answered(1)
        self.assertEqual(self.arrive(3, HERE), Decision(True, 2))
        self.places.answered(3)
        self.assertEqual(self.arrive(4, HERE), Decision(False))
        self.places.waits(3)
        self.places.waits(1)
        self.assertEqual(self.arrive(5, HERE), Decision(True, 3))

    def test_known_keep_their_places_and_are_no_strangers(self) -> None:
        for number in range(4):
            self.assertEqual(self.arrive(number, HERE), Decision(True))
            self.places.answered(number)
            self.places.recognized(number)
            self.places.waits(number)
        self.assertEqual(self.arrive(5, THERE), Decision(False))
        self.places.left(0)
        self.assertEqual(self.arrive(5, THERE), Decision(True))

    def test_unix_socket_has_no_address_and_no_limit_of_one(self) -> None:
        for number in range(4):
            self.assertEqual(self.arrive(number, ""), Decision(True))

    @given(
        st.lists(st.tuples(st.sampled_from(["arrive", "answered", "waits", "recognized", "left"]), st.integers(0, 9)))
    )
    def test_whatever_happens_limits_hold_and_nothing_is_left(self, events: list[tuple[str, int]]) -> None:
        places: Places[int] = Places(4, 2)
        there: dict[int, bool] = {}  # whether known
        for what, number in events:
            if what == "arrive" and number not in there:
                decision = places.decide(HERE)
                if decision.displaced is not None:
                    self.assertFalse(there.pop(decision.displaced))
                if decision.admitted:
                    places.arrived(number, HERE)
                    there[number] = False
            elif what != "arrive":
                getattr(places, what)(number)
                if what == "left":
                    there.pop(number, None)
                elif what == "recognized" and number in there:
                    there[number] = True
            self.assertEqual(len(places), len(there))
            self.assertLessEqual(len(there), 4)
            self.assertLessEqual(list(there.values()).count(False), 2)
        for number in list(there):
            places.left(number)
        self.assertEqual((len(places), places.decide(HERE)), (0, Decision(True)))
