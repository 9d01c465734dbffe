"""A group of commands: its help, and what it suggests for an unknown command."""

import click
from twisted.trial.unittest import SynchronousTestCase

from lars.cli.group import CommandGroup


class CommandGroupTests(SynchronousTestCase):
    def setUp(self) -> None:
        commands = [click.Command(name, callback=lambda: None) for name in ("status", "route")]
        self.group = CommandGroup("lars", commands={str(command.name): command for command in commands})

    def refusal(self, *given: str) -> str:
        error = self.assertRaises(click.UsageError, self.group.main, given, standalone_mode=False)
        message: str = error.format_message()
        return message

    def test_nearest_command_is_suggested(self) -> None:
        self.assertEqual(self.refusal("statsu"), "No such command 'statsu'. Did you mean 'status'?")
        self.assertEqual(self.refusal("xyzzy"), "No such command 'xyzzy'.")

    def test_unknown_option_is_no_command(self) -> None:
        self.assertIn("No such option", self.refusal("--stats"))

    def test_known_command_runs(self) -> None:
        self.assertIsNone(self.group.main(("route",), standalone_mode=False))
