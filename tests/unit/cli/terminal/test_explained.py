"""How what an agent knows of a host is printed."""

from twisted.trial.unittest import SynchronousTestCase

from lars.balancing.host import HostExplanation, HostState
from lars.cli.terminal.explained import COLUMNS, explained_cells, explained_json
from lars.route import parse_host

KNOWN = HostExplanation(
    parse_host("10.0.0.1:80"), HostState.EJECTED, 0.123456, 9.26, 3.0, 2, 4, 0.01234567, 5.04, "failed"
)
UNKNOWN = HostExplanation(parse_host("10.0.0.1:80"), HostState.HEALTHY, 1.0, 0.0, 0.0, 0, None, None, None, "takes")


class ExplainedTests(SynchronousTestCase):
    def test_cells_are_rounded_for_people(self) -> None:
        self.assertEqual(explained_cells(KNOWN), ("12.3%", "3 of 9", 2, 4, "12.3 ms", "5.0 s"))

    def test_json_is_rounded_less(self) -> None:
        self.assertEqual(
            explained_json(KNOWN),
            {
                "share": 0.1235,
                "calls": 9.3,
                "failures": 3.0,
                "failures_in_a_row": 2,
                "in_flight": 4,
                "latency": 0.012346,
                "next_probe": 5.0,
                "why": "failed",
                "reason": "",
            },
        )

    def test_what_is_not_known_is_a_dash_and_null(self) -> None:
        self.assertEqual(explained_cells(UNKNOWN), ("100.0%", "0 of 0", 0, "-", "-", "-"))
        self.assertEqual(explained_json(UNKNOWN)["latency"], None)
        self.assertEqual(explained_cells(None), ("-",) * len(COLUMNS))
