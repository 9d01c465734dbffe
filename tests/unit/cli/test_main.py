"""The command line as a whole: its help, usage errors, and what it does not import."""

import subprocess

import click
from twisted.trial.unittest import SynchronousTestCase

import lars
from lars.cli import main
from lars.cli.commands import route
from lars.cli.lazy import LazyGroup
from tests.unit.cli.command import arguments, environment, run, run_here


class HelpTests(SynchronousTestCase):
    def test_version_is_the_packages(self) -> None:
        ended = run_here("--version")
        self.assertEqual((ended.status, ended.out, ended.err), (0, f"lars {lars.__version__}\n", ""))

    def test_help_names_every_command(self) -> None:
        for arguments_of_group, commands in (([], main.COMMANDS), (["route"], route.COMMANDS)):
            ended = run_here(*arguments_of_group, "--help")
            self.assertEqual(ended.status, 0)
            for name in commands:
                self.assertRegex(ended.out, rf"\n  {name} +[A-Z]")

    def test_every_command_is_where_its_group_says_and_what_takes_arguments_has_an_example(self) -> None:
        for group in (main.lars, route.route):
            assert isinstance(group, LazyGroup)
            context = click.Context(group, info_name="lars")
            for name in group.list_commands(context):
                command = group.get_command(context, name)
                assert command is not None
                self.assertEqual(command.name, name)
                if any(isinstance(parameter, click.Argument) for parameter in command.params):
                    self.assertIn("Example", command.get_help(click.Context(command, context)), name)

    def test_without_a_command_a_group_shows_its_help_as_wrong_usage(self) -> None:
        for given in ([], ["route"]):
            ended = run_here(*given)
            self.assertEqual((ended.status, ended.out), (2, ""))
            self.assertIn("Commands:", ended.err)

    def test_agent_commands_and_help_import_no_twisted(self) -> None:
        modules = ", ".join(
            f"lars.cli.commands.{name}" for name in ("agent", "simulate", "qps", "top", "explain", "bench")
        )
        program = f"import sys, lars.cli.main, {modules}; print('twisted' in sys.modules)"
        done = subprocess.run([arguments()[0], "-c", program], env=environment(), capture_output=True, text=True)
        self.assertEqual(done.stdout, "False\n")


class WrongUsageTests(SynchronousTestCase):
    def test_group_without_a_command_shows_its_help(self) -> None:
        for group in ([], ["route"], ["db"], ["agents"]):
            ended = run(*group)
            self.assertEqual((ended.status, ended.out), (2, ""))
            self.assertEqual(ended.err, run(*group, "--help").out)

    def test_it_is_two_with_usage_and_one_line_that_says_what_is_wrong(self) -> None:
        for given, problem in (
            (["rout"], "No such command 'rout'. Did you mean 'route'?"),
            (["route", "lst"], "No such command 'lst'. Did you mean 'list'?"),
            (["conf", "cpy"], "No such command 'cpy'. Did you mean 'copy'?"),
            (["db", "xyzzy"], "No such command 'xyzzy'."),
            (["route", "list", "--jsn"], "No such option"),
            (["get-host", "1"], "Missing argument 'CMDID'."),
            (["get-host", "1", "x"], "'x' is no number, and without a database it is no name"),
            (["get-host", "-1", "1"], "Invalid value for 'MODID': -1 is not in the range"),
            (["get-host", "1", "2147483648"], "Invalid value for 'CMDID': 2147483648 is not in the range"),
            (["get-host", "1", "1", "--agent", "no..name:1"], "'no..name' has no IPv4 address"),
            (["route", "add", "1", "1"], "Missing argument 'IP:PORT...'."),
            (["route", "add", "1", "1", "node.example:80"], "'node.example' is not an IPv4 address"),
            (["route", "add", "1", "1", "10.0.0.1"], "'10.0.0.1' is not a host: write IP:PORT"),
            (["route", "add", "1", "1", "10.0.0.1:0"], "'0' is not a port"),
            (["route", "add", "1", "1", "10.0.0.1:" + "9" * 5000], "is not a port"),
            (["route", "add", "1", "1", "0.0.0.0:80"], "0.0.0.0 is not a host's address"),
            (["route", "rm", "1", "1"], "give the hosts to remove"),
            (["route", "rm", "1", "1", "10.0.0.1:80", "--all"], "give the hosts to remove"),
            (["route", "import", "nowhere.csv"], "No such file"),
            (["report", "1", "1", "10.0.0.1:80", "x"], "Invalid value for 'RETCODE'"),
            (["simulate", "1", "1", "--err-rate", "11"], "Invalid value for '--err-rate'"),
            (["status", "--minutes", "0"], "Invalid value for '--minutes'"),
            (["status", "--db", "postgres://x"], "a database URL starts with mysql:// or sqlite:///"),
        ):
            ended = run_here(*given)
            self.assertEqual((ended.status, ended.out), (2, ""), given)
            usage, hint, line = ended.err.splitlines()
            self.assertTrue(usage.startswith("Usage: lars") and hint.startswith("Try 'lars"), ended.err)
            self.assertTrue(line.startswith("lars: "), ended.err)
            self.assertIn(problem, line)

    def test_module_zero_zero_does_not_exist(self) -> None:
        for given in (
            ["get-host", "0", "0"],
            ["get-route", "0", "0"],
            ["report", "0", "0", "10.0.0.1:80", "0"],
            ["simulate", "0", "0"],
            ["route", "add", "0", "0", "10.0.0.1:80"],
            ["route", "rm", "0", "0", "--all"],
            ["route", "list", "0", "0"],
            ["status", "0", "0"],
        ):
            ended = run_here(*given)
            self.assertEqual((ended.status, ended.out), (2, ""), given)
            self.assertIn("module (0, 0) does not exist", ended.error)

    def test_a_password_is_not_shown(self) -> None:
        for url in ("mysql://root:secret@", "postgres://root:secret@host/x", "mysql:/root:secret@host/x"):
            ended = run_here("status", "--db", url)
            self.assertEqual(ended.status, 2)
            self.assertNotIn("secret", ended.err)
