"""The printed table."""

from twisted.trial.unittest import SynchronousTestCase

from bench.balance.metrics import EXPLANATIONS
from bench.balance.table import COLUMNS, block


class TableTests(SynchronousTestCase):
    def row(self, policy: str, **numbers: float) -> dict[str, object]:
        size = {"scenario": "dead", "hosts": 5, "workers": 4, "agents": 10, "load": 0.5, "service": "exponential"}
        return size | {"policy": policy, "costs": False} | dict.fromkeys(EXPLANATIONS) | numbers

    def test_columns_that_no_policy_has_are_left_out_and_others_show_what_is_missing(self) -> None:
        lines = block([self.row("classic", p50=7.5, return_s=1.0), self.row("random", p50=8.0)]).splitlines()
        self.assertEqual(lines[0], "dead: 5 hosts x 4, 10 agents, load 0.5, exponential, no costs reported")
        self.assertEqual(
            [line.split() for line in lines[1:]],
            [["p50", "return_s"], ["classic", "7.5", "1.0"], ["random", "8.0", "-"]],
        )

    def test_every_column_is_a_number_that_is_explained(self) -> None:
        self.assertEqual(set(COLUMNS) - set(EXPLANATIONS), set())
