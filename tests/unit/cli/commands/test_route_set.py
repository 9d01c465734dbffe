"""`lars route set` on a real SQLite file."""

from tests.unit.cli.command import run, run_here
from tests.unit.cli.commands.route_case import RouteTestCase

A = "10.0.0.5:80"


class SetTests(RouteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.done("add", "1", "1", A)

    def test_what_is_named_changes_and_the_rest_stays(self) -> None:
        out = self.done("set", "1", "1", A, "weight=50", "zone=b", "tags=ssd, rack-7", "note=new disk")
        self.assertRegex(
            out,
            r'^\(1, 1\) 10\.0\.0\.5:80: weight 100 → 50, zone "" → "b", tags "" → rack-7,ssd, note "" → "new disk"; '
            r"version \d+\n$",
        )
        self.assertRegex(self.done("set", "1", "1", A, "zone="), r'10\.0\.0\.5:80: zone "b" → ""; version \d+\n$')
        self.assertRegex(self.done("set", "1", "1", A, "weight=50"), r"^nothing to change; version \d+\n$")
        (host,) = self.route("list", "--json").json
        self.assertEqual((host["weight"], host["zone"], host["note"]), (50, "", "new disk"))

    def test_each_fault_has_a_line_that_says_what_to_do(self) -> None:
        for change, problem in (
            ("weight=-1", "weight '-1' is not a number from 0 to 1000"),
            ("weight=1001", "weight '1001' is not a number from 0 to 1000"),
            ("weight=x", "weight 'x' is not a number from 0 to 1000"),
            ("zone=east coast", "zone 'east coast' is not a zone: use up to 64 of a-z, 0-9, dot and hyphen"),
            ("wieght=5", "'wieght' is nothing that a host has: use weight, zone, tags, note"),
            ("weight", "'weight' is not NAME=VALUE"),
        ):
            ended = self.route("set", "1", "1", A, change)
            self.assertEqual((ended.status, ended.out, ended.error), (2, "", problem))
        ended = self.route("set", "1", "1", A, "weight=x", "zone=a b")
        self.assertEqual(len(ended.err.splitlines()), 2)
        self.assertEqual(
            self.route("set", "1", "1", A, "weight=1", "weight=2").error, "weight is given twice: give it once"
        )
        self.assertEqual(self.route("set", "1", "1", "10.0.0.6:80", "weight=1").status, 1)

    def test_help_and_completion_have_the_names(self) -> None:
        self.assertIn("weight=0 to 1000", run_here("route", "set", "--help").out)
        typed = f"lars route set 1 1 {A} z"
        ended = run(_LARS_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD="6")
        self.assertEqual(ended.out.splitlines(), ["plain,zone="])
