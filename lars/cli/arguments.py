"""The arguments and options that several commands share, and their validation."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from lars.db.url import DEFAULT_URL, parse_url
from lars.errors import LarsError
from lars.route import MAX_ID, ModuleId, module_id, serving_host

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_ID = click.IntRange(0, MAX_ID)


def parsed(parse: Callable[[str], T]) -> Callable[[str], T]:
    """A click type that parses with a function of Lars; its LarsErrors become usage errors."""

    def convert(text: str) -> T:
        """The parsed text; raises click.BadParameter."""
        try:
            return parse(text)
        except LarsError as error:
            raise click.BadParameter(str(error)) from None

    return convert


class NumbersCommand(click.Command):
    """A command whose arguments are numbers: "-1" is a number out of range, not an unknown option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.ignore_unknown_options = any(re.fullmatch(r"-\d+", arg) for arg in args)
        return super().parse_args(ctx, args)


def module_arguments(command: F) -> F:
    """MODID CMDID, as `modid` and `cmdid`."""
    return click.argument("modid", type=_ID)(click.argument("cmdid", type=_ID)(command))


def optional_module_arguments(command: F) -> F:
    """[MODID [CMDID]], as `modid` and `cmdid`; see check_optional."""
    modid = click.argument("modid", type=_ID, required=False)
    return modid(click.argument("cmdid", type=_ID, required=False)(command))


def check_optional(modid: int | None, cmdid: int | None) -> ModuleId | None:
    """The module, or None unless both ids are given; raises InvalidRoute if it cannot exist."""
    return None if modid is None or cmdid is None else module_id(modid, cmdid)


HOST = parsed(serving_host)
"""The click type of IP:PORT: text to HostAddress."""

db_option = click.option(
    "--db",
    "url",
    metavar="URL",
    type=parsed(parse_url),
    envvar="LARS_DB",
    default=DEFAULT_URL,
    show_default=True,
    show_envvar=True,
    help="The database: sqlite:///FILE or mysql://user:password@host:port/name.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
