"""How the view of a caller is printed."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.terminal.caller_views import COLUMNS, caller_cells, caller_json, duration
from lars.db.callers import CallerView
from lars.host_condition import Condition
from lars.route import ModuleId, parse_host, parse_ip

VIEW = CallerView(
    ModuleId(1, 2),
    parse_host("10.0.0.5:80"),
    parse_ip("10.1.0.1"),
    "shop-1",
    Condition.EJECTED,
    "3 of 3 recent calls failed",
    since=940,
    latency=0.0125,
    succ=6,
    err=3,
    period=60,
    last_report=995,
)
OLD = replace(VIEW, hostname="", reason="", since=0, latency=None, period=0)
"""What is known where the agent says nothing."""


class CallerViewTests(SynchronousTestCase):
    def test_cells_say_who_sees_what_why_and_for_how_long(self) -> None:
        cells = dict(zip(COLUMNS, caller_cells(VIEW, 1000.0), strict=True))
        self.assertEqual(cells["CALLER"], "10.1.0.1 (shop-1)")
        self.assertEqual(cells["STATE"], "ejected: 3 of 3 recent calls failed")
        self.assertEqual([cells[name] for name in ("FOR", "SUCC", "ERR", "ERR%")], ["60 s", "6", "3", 33.3])
        self.assertEqual(cells["LATENCY"], "12.5 ms")

    def test_json_has_seconds_and_null_for_what_is_not_known(self) -> None:
        found = caller_json(VIEW)
        self.assertEqual((found["caller"], found["state"], found["since"]), ("10.1.0.1", "ejected", 940))

    def test_what_an_older_agent_does_not_say_is_marked(self) -> None:
        cells = dict(zip(COLUMNS, caller_cells(OLD, 1000.0), strict=True))
        self.assertEqual([cells[name] for name in ("CALLER", "STATE", "FOR")], ["10.1.0.1", "ejected", "-"])
        self.assertEqual([cells[name] for name in ("SUCC", "LATENCY")], ["~6", "-"])
        self.assertEqual([caller_json(OLD)[name] for name in ("since", "period", "latency")], [None] * 3)

    def test_durations_have_the_unit_of_which_there_are_two(self) -> None:
        found = [duration(seconds) for seconds in (-5, 0, 119, 120, 7199, 7200, 172_799, 172_800)]
        self.assertEqual(found, ["0 s", "0 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 d"])
