"""A group whose commands are imported only when used, so that `lars get-host` does not import Twisted."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click

from lars.cli.group import CommandGroup


class LazyCommand(NamedTuple):
    """A command by name, and its line in the group's help."""

    target: str
    """ "module:attribute" """
    help: str


class LazyGroup(CommandGroup):
    """A group of LazyCommands."""

    def __init__(self, *args: Any, commands: Mapping[str, LazyCommand], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = commands

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        lazy = self._lazy.get(cmd_name)
        if lazy is None:
            return None
        module, _, attribute = lazy.target.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in self._lazy.items()])
