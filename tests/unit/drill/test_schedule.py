"""Tests of tests.drill.chaos.schedule."""

from twisted.trial.unittest import SynchronousTestCase

from tests.drill.chaos.schedule import APART, FIRST, RULES, Fault, Kind, draw

PROCESSES = ["lars-dns-a", "lars-dns-b", "host-10.77.1.9"]
PLACES = ("a", "b", "c")


def drawn(seed: int, seconds: float = 600) -> list[Fault]:
    return draw(seed, seconds, PROCESSES, PLACES[:2], PLACES[2])


def links(fault: Fault) -> set[str]:
    """The pairs of zones whose link a fault hits."""
    if fault.kind in (Kind.PARTITION, Kind.WEATHER):
        return {fault.target}
    pairs = {"a-b", "a-c", "b-c"}
    return {pair for pair in pairs if fault.target in pair.split("-")} if fault.kind is Kind.CUT else set()


class DrawTests(SynchronousTestCase):
    def test_same_seed_gives_the_same_faults(self) -> None:
        self.assertEqual(drawn(7), drawn(7))
        self.assertNotEqual(drawn(7), drawn(8))

    def test_ten_minutes_have_every_kind(self) -> None:
        for seed in range(5):
            self.assertEqual({fault.kind for fault in drawn(seed)}, set(Kind))

    def test_faults_last_as_long_as_their_kind_may_and_end_within_the_drill(self) -> None:
        for fault in drawn(3):
            rule = RULES[fault.kind]
            self.assertTrue(rule.shortest - 0.1 <= fault.end - fault.begin <= rule.longest + 0.1, fault)
            self.assertTrue(FIRST <= fault.begin < fault.end <= 600, fault)

    def test_no_process_and_no_link_has_two_faults_at_once(self) -> None:
        for seed in range(20):
            faults = drawn(seed)
            for n, fault in enumerate(faults):
                for later in faults[n + 1 :]:
                    same = fault.target == later.target and fault.kind is later.kind
                    if same or links(fault) & links(later):
                        self.assertGreaterEqual(later.begin, fault.end + APART - 0.2, f"{fault}; {later}")

    def test_drill_that_is_shorter_than_any_fault_has_none(self) -> None:
        self.assertEqual(drawn(1, 3), [])

    def test_line_says_what_happens(self) -> None:
        self.assertEqual(str(Fault(3, 5.5, Kind.KILL, "lars-dns-a")), "3.0 s: kill -9 lars-dns-a, for 2.5 s")
        self.assertEqual(str(Fault(3, 5, Kind.CLOCK, "a", -600)), "3.0 s: clock step a by -600 s, for 2.0 s")
