"""`lars route add` and `rm` on a real SQLite file."""

import getpass

from tests.unit.cli.commands.route_case import RouteTestCase


class EditTests(RouteTestCase):
    def test_add_says_what_changed_and_the_new_version(self) -> None:
        out = self.done("add", "1", "1", "10.0.0.5:8080", "10.0.0.6:8080", "10.0.0.5:8080")
        ((version,),) = self.database.rows("SELECT version FROM RouteVersion WHERE id = 1")
        self.assertEqual(out, f"added 2 hosts to (1, 1); version {version}\n")
        again = self.done("add", "1", "1", "10.0.0.5:8080")
        self.assertEqual(again, f"nothing to change; version {version}\n")

    def test_rm_removes_hosts_or_all_of_them(self) -> None:
        self.done("add", "1", "1", "10.0.0.5:8080", "10.0.0.6:8080", "10.0.0.7:8080")
        self.assertRegex(
            self.done("rm", "1", "1", "10.0.0.5:8080", "10.9.9.9:1"), r"^removed 1 host from \(1, 1\); version \d+\n$"
        )
        self.assertRegex(self.done("rm", "1", "1", "10.0.0.5:8080"), r"^nothing to change; version \d+\n$")
        self.assertRegex(self.done("rm", "1", "1", "--all"), r"^removed 2 hosts from \(1, 1\); version \d+\n$")
        self.assertEqual(self.database.rows("SELECT * FROM RouteData"), [])

    def test_audit_has_the_actor(self) -> None:
        self.done("add", "1", "1", "10.0.0.5:8080")
        self.assertEqual(
            self.database.rows("SELECT actor, modid, cmdid, hosts_after FROM RouteAudit"),
            [(f"cli:{getpass.getuser()}", 1, 1, "10.0.0.5:8080")],
        )
