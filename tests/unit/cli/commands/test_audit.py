"""`lars audit` of a real SQLite file."""

from tests.unit.cli.command import Ended, run
from tests.unit.cli.commands.route_case import RouteTestCase


class AuditTests(RouteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.done("add", "1", "1", *(f"10.0.0.{n}:80" for n in range(1, 7)))
        self.done("add", "2", "1", "10.0.0.5:80")
        self.done("set", "1", "1", "10.0.0.5:80", "weight=50")

    def audit(self, *given: str) -> Ended:
        return run("audit", *given, cwd=self.folder)

    def test_newest_edit_is_first_with_what_is_gone_and_what_has_come(self) -> None:
        lines = self.audit().out.splitlines()
        self.assertIn("hosts of (1, 1)", lines[1])
        self.assertTrue(lines[1].endswith("- 10.0.0.5:80; + 10.0.0.5:80 weight=50"))
        self.assertTrue(lines[3].endswith("; + 10.0.0.4:80; and 2 more"))
        self.assertEqual(len(lines), 4)

    def test_edits_of_one_module(self) -> None:
        self.assertEqual([row["id"] for row in self.audit("1", "1", "--json").json], [3, 1])
        modid_alone = self.audit("1")
        self.assertEqual((modid_alone.status, modid_alone.out), (2, ""))

    def test_pages(self) -> None:
        self.assertEqual([row["id"] for row in self.audit("--limit", "1", "--json").json], [3])
        self.assertEqual([row["id"] for row in self.audit("--before", "3", "--json").json], [2, 1])
