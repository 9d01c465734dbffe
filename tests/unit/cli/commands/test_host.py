"""`lars host drain` and `undrain` on a real SQLite file."""

from tests.unit.cli.command import Ended, run
from tests.unit.cli.commands.route_case import RouteTestCase


class HostTests(RouteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.done("add", "1", "1", "10.0.0.5:80", "10.0.0.6:80")
        self.done("add", "2", "1", "10.0.0.5:90", "10.0.0.5:91", "10.0.0.6:90")

    def host(self, *given: str) -> Ended:
        return run("host", *given, cwd=self.folder)

    def test_a_machine_is_drained_in_all_modules_by_one_version_and_restored(self) -> None:
        ended = self.host("drain", "10.0.0.5", "--for", "2d", "--reason", "kernel update")
        self.assertRegex(ended.out, r"^draining 3 hosts in 2 modules until [-\d: ]+: kernel update; version \d+\n$")
        self.assertEqual((ended.status, ended.err), (0, ""))
        drained = "SELECT COUNT(*) FROM RouteData WHERE weight = 0 AND drained_until > 0"
        self.assertEqual(self.database.rows(drained), [(3,)])
        changes = "SELECT COUNT(*) FROM RouteChange WHERE version = (SELECT version FROM RouteVersion)"
        self.assertEqual(self.database.rows(changes), [(2,)])
        self.assertRegex(self.host("undrain", "10.0.0.5").out, r"^restored 3 hosts in 2 modules; version \d+\n$")
        self.assertEqual(self.database.rows(drained), [(0,)])
        self.assertRegex(self.host("undrain", "10.0.0.5").out, r"^nothing to change; version \d+\n$")

    def test_a_machine_that_no_module_has_is_refused(self) -> None:
        ended = self.host("drain", "10.0.0.9")
        problem = "no module has a host at 10.0.0.9: `lars route list` shows all hosts"
        self.assertEqual((ended.status, ended.error), (1, problem))
        for wrong in ("10.0.0.5:80", "db1"):
            self.assertEqual(self.host("drain", wrong).status, 2)
