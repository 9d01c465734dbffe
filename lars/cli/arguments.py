"""The arguments and options that several commands share, and their validation."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from lars.db.url import DEFAULT_URL, DatabaseUrl, parse_url
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

_DB_FILE = "lars.db_file"


def _keep_file(ctx: click.Context, _option: click.Parameter, path: str | None) -> None:
    ctx.meta[_DB_FILE] = path


def _chosen(ctx: click.Context, option: click.Parameter, url: DatabaseUrl) -> DatabaseUrl:
    path: str | None = ctx.meta.get(_DB_FILE)
    if path is None:
        return url
    from lars.settings import text_of_file  # it imports Twisted, which commands without a database do without

    if ctx.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--db and --db-file: give one of them")
    try:
        return parse_url(text_of_file(path))
    except LarsError as error:
        raise click.BadParameter(str(error), param_hint="--db-file") from None


def db_option(command: F) -> F:
    """--db and --db-file, as `url`."""
    in_file = click.option(
        "--db-file",
        metavar="FILE",
        is_eager=True,
        expose_value=False,
        callback=_keep_file,
        help="A file that holds the URL: `ps` shows what --db says.",
    )
    url = click.option(
        "--db",
        "url",
        metavar="URL",
        type=parsed(parse_url),
        envvar="LARS_DB",
        default=DEFAULT_URL,
        show_default=True,
        show_envvar=True,
        callback=_chosen,
        help="The database: sqlite:///FILE or mysql://user:password@host:port/name.",
    )
    return in_file(url(command))


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
