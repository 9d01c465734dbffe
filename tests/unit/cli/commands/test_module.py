"""`lars module set` and `show` on a real SQLite file."""

import re

from lars.cli.commands.module import differences
from lars.module_settings import ALL, Settings
from tests.unit.cli.command import Ended, run, run_here
from tests.unit.cli.commands.route_case import RouteTestCase


class ModuleTests(RouteTestCase):
    def module(self, *given: str) -> Ended:
        return run("module", *given, cwd=self.folder)

    def test_settings_are_set_shown_and_reset(self) -> None:
        ended = self.module("set", "1", "1", "policy=classic", "ejection.failures_in_a_row=3", "panic=false")
        self.assertRegex(
            ended.out,
            r"^\(1, 1\) policy default → classic, ejection\.failures_in_a_row default → 3, panic default → false; "
            r"version \d+\n$",
        )
        shown = {row["name"]: row for row in self.module("show", "1", "1", "--json").json}
        self.assertEqual(list(shown), [setting.name for setting in ALL])
        self.assertEqual(shown["policy"], {"name": "policy", "value": "classic", "default": None, "set": True})
        self.assertEqual(shown["slow_start"], {"name": "slow_start", "value": 2, "default": 2, "set": False})
        ended = self.module("set", "1", "1", "policy=", "panic=false")
        self.assertRegex(ended.out, r"^\(1, 1\) policy classic → default; version \d+\n$")
        self.assertRegex(self.module("set", "1", "1", "policy=").out, r"^nothing to change; version \d+\n$")
        lines = self.module("show", "1", "1").out.splitlines()
        for line in (
            r"^policy +- +agent$",
            r"^ejection.failures_in_a_row +3 +module$",
            r"^panic +false +module$",
            r"^health_check.path +/ +default$",
        ):
            self.assertTrue(any(re.search(line, found) for found in lines), (line, lines))

    def test_each_fault_has_a_line_that_names_the_setting(self) -> None:
        for change, problem in (
            ("panik=false", "'panik' is not a setting of a module; did you mean panic?"),
            (
                "policy=clasic",
                "policy: 'clasic' is not one of adaptive, round_robin, consistent_hash, classic; did you mean",
            ),
            ("health_check.type=http", "health_check.path: an http check needs a path, such as /healthz"),
            ("health_check.timeout=x", "health_check.timeout: 'x' is not a number from 0.05 to 60"),
            ("policy", "'policy' is not NAME=VALUE"),
        ):
            ended = self.module("set", "1", "1", change)
            self.assertEqual((ended.status, ended.out), (2, ""))
            self.assertIn(problem, ended.error)
        self.assertEqual(self.database.rows("SELECT * FROM ModuleSettings"), [])

    def test_a_setting_of_another_version_is_named(self) -> None:
        self.module("set", "1", "1", "policy=classic")
        self.database.execute("""UPDATE ModuleSettings SET settings = '{"tea_break":true}'""")
        ended = self.module("show", "1", "1")
        self.assertEqual(ended.status, 0)
        problem = "module (1, 1): 'tea_break' is not a setting of a module: agents use the default"
        self.assertEqual(ended.error, problem)

    def test_help_has_every_setting(self) -> None:
        for command in ("set", "show"):
            text = run_here("module", command, "--help").out
            for setting in ALL:
                self.assertIn(f"  {setting.name} ", text)

    def test_shell_completes_names_and_words(self) -> None:
        for typed, completed in (
            ("polic", ["plain,policy="]),
            ("health_check.type=h", ["plain,health_check.type=http"]),
            ("panic=", ["plain,panic=true", "plain,panic=false"]),
            ("slow_start=", []),
        ):
            typed = f"lars module set 1 1 {typed}"
            ended = run(_LARS_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD="5")
            self.assertEqual((ended.out.split(), ended.err), (completed, ""))

    def test_differences_are_in_the_order_of_the_schema(self) -> None:
        before: Settings = {"slow_start": 1, "policy": "classic"}
        self.assertEqual(differences(before, before), [])
        after: Settings = {"slow_start": 1.5, "panic": True}
        self.assertEqual(
            differences(before, after), ["policy classic → default", "slow_start 1 → 1.5", "panic default → true"]
        )
