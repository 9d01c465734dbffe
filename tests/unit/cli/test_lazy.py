"""A group that imports a command when it is used."""

import sys

import click
from twisted.trial.unittest import SynchronousTestCase

from lars.cli.lazy import LazyCommand, LazyGroup

GROUP = LazyGroup(
    "group",
    commands={
        "nowhere": LazyCommand("tests.no_such_module:command", "Is never imported."),
        "completion": LazyCommand("lars.cli.commands.completion:completion", "Prints a script."),
    },
)


class LazyGroupTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.context = click.Context(GROUP, info_name="lars")

    def test_help_lists_commands_without_importing_them(self) -> None:
        self.assertEqual(GROUP.list_commands(self.context), ["nowhere", "completion"])
        text = GROUP.get_help(self.context)
        self.assertIn("nowhere     Is never imported.", text)
        self.assertNotIn("tests.no_such_module", sys.modules)

    def test_command_is_imported_when_asked_for(self) -> None:
        command = GROUP.get_command(self.context, "completion")
        assert command is not None
        self.assertEqual(command.name, "completion")

    def test_unknown_command_is_none(self) -> None:
        self.assertIsNone(GROUP.get_command(self.context, "other"))
