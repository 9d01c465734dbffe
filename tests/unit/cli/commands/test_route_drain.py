"""`lars route drain` and `undrain` on a real SQLite file."""

import getpass

from tests.unit.cli.commands.route_case import RouteTestCase

A, B = "10.0.0.5:80", "10.0.0.6:80"


class DrainTests(RouteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.done("add", "1", "1", A, B)

    def weights(self) -> list[int]:
        return [weight for (weight,) in self.database.rows("SELECT weight FROM RouteData ORDER BY serverip")]

    def test_a_drain_has_an_end_and_a_reason_and_undrain_restores_the_weight(self) -> None:
        self.done("set", "1", "1", A, "weight=70")
        out = self.done("drain", "1", "1", A, "--for", "30m", "--reason", "kernel update")
        self.assertRegex(out, r"^draining 1 host of \(1, 1\) until [-\d: ]+: kernel update; version \d+\n$")
        self.assertEqual(self.weights(), [0, 100])
        ((left,),) = self.database.rows("SELECT drained_until - unixepoch() FROM RouteData WHERE drained_until > 0")
        self.assertTrue(1700 < left <= 1800, left)
        self.assertRegex(self.done("undrain", "1", "1", A, B), r"^restored 1 host of \(1, 1\); version \d+\n$")
        self.assertEqual(self.weights(), [70, 100])
        self.assertRegex(self.done("undrain", "1", "1", A), r"^nothing to change; version \d+\n$")
        actors = self.database.rows("SELECT DISTINCT actor FROM RouteAudit")
        self.assertEqual(actors, [(f"cli:{getpass.getuser()}",)])

    def test_a_module_that_has_no_other_host_is_named(self) -> None:
        self.assertRegex(self.done("drain", "1", "1", A), r"^draining 1 host of \(1, 1\); version \d+\n$")
        ended = self.route("drain", "1", "1", B, "--reason", "new disk")
        self.assertRegex(ended.out, r"^draining 1 host of \(1, 1\): new disk; version \d+\n$")
        self.assertEqual(
            (ended.status, ended.error),
            (0, "no host of module (1, 1) has weight now, so all of them take calls: undrain or add one"),
        )

    def test_what_cannot_be_is_refused_and_changes_nothing(self) -> None:
        ended = self.route("drain", "1", "1", A, "10.0.0.7:80")
        self.assertEqual((ended.status, ended.error), (1, "module (1, 1) has no host 10.0.0.7:80: add it first"))
        for options, problem in (
            (["--for", "2 hours"], "'2 hours' is not a time such as 90s, 30m, 2h or 1d12h, of at most 366 days"),
            (["--reason", "x" * 256], "is not a line of at most 255 printable characters"),
            (["--reason", "a\nb"], "is not a line of at most 255 printable characters"),
        ):
            ended = self.route("drain", "1", "1", A, *options)
            self.assertEqual(ended.status, 2)
            self.assertIn(problem, ended.err.splitlines()[-1])
            self.assertIn(options[0], ended.err.splitlines()[-1])
        self.assertEqual(self.weights(), [100, 100])
