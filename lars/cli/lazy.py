"""A group whose commands are imported only when used, so that `lars get-host` does not import Twisted."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click

from lars.cli.exit_status import WRONG_USAGE


class LazyCommand(NamedTuple):
    """A command by name, and its line in the group's help."""

    target: str
    """ "module:attribute" """
    help: str


class LazyGroup(click.Group):
    """A group of LazyCommands. Without a command it shows its help."""

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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:  # resilient: a shell completes words
            click.echo(ctx.get_help(), err=True)
            ctx.exit(WRONG_USAGE)
        return super().parse_args(ctx, args)
