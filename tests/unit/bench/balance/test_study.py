"""Several policies, scenarios and seeds."""

from twisted.trial.unittest import SynchronousTestCase

from bench.balance.metrics import EXPLANATIONS
from bench.balance.policies.table import OTHERS
from bench.balance.scenarios import Fleet
from bench.balance.study import Case, compare, mean, run

SMALL = Fleet(hosts=3, agents=2, load=0.2, workers=1)

RECORDED = {
    "envoy_outlier_p2c": (0.077, 48.5, 0.23, 49.0),
    "finagle": (0.068, 48.4, 0.2, 54.0),
    "candidate": (0.055, 47.7, 2.47, 17.5),
}
"""lost%, p99, aside_s and return_s of a dead host with seed 7, at the default size."""


class StudyTests(SynchronousTestCase):
    def test_mean_has_no_number_where_a_seed_has_none(self) -> None:
        self.assertEqual(
            mean([{"p99": 1.0, "return_s": 2.0}, {"p99": 2.0, "return_s": None}]), {"p99": 1.5, "return_s": None}
        )

    def test_rows_name_what_was_simulated_and_hold_every_number(self) -> None:
        cases = [Case("cold", SMALL), Case("steady", SMALL, with_cost=False)]
        blocks = list(compare(cases, ["random", "classic"], [7, 8], jobs=1))
        self.assertEqual(
            [(row["scenario"], row["policy"], row["costs"], row["seeds"]) for block in blocks for row in block],
            [
                ("cold", "random", True, [7, 8]),
                ("cold", "classic", True, [7, 8]),
                ("steady", "random", False, [7, 8]),
                ("steady", "classic", False, [7, 8]),
            ],
        )
        for block in blocks:
            for row in block:
                self.assertEqual(
                    (row["hosts"], row["agents"], row["workers"], row["load"], row["service"]),
                    (3, 2, 1, 0.2, "exponential"),
                )
                self.assertEqual(set(EXPLANATIONS) - set(row), set())

    def test_every_policy_of_others_leaves_a_small_fleet_in_peace(self) -> None:
        for name in OTHERS:
            numbers = run(Case("steady", SMALL), name, 1)
            self.assertEqual((numbers["lost%"], numbers["over_aside%"]), (0.0, 0.0), name)

    def test_policies_of_others_do_what_they_did(self) -> None:
        """A change of these numbers changes the judge: every comparison must be made again."""
        for name, recorded in RECORDED.items():
            numbers = run(Case("dead", Fleet()), name, 7)
            self.assertEqual(tuple(numbers[key] for key in ("lost%", "p99", "aside_s", "return_s")), recorded, name)
