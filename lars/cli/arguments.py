"""The arguments and options that several commands share, and their validation."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from click.core import ParameterSource

from lars.cli.api import Api
from lars.db.url import DEFAULT_URL, DatabaseUrl, parse_url
from lars.errors import LarsError, SettingsError
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


_NEGATIVE = re.compile(r"-\d+")

_BOTH_NAMES = "."
"""In the place of CMDID: the word before has both names (lars.cli.module_names.JOINED)."""


class NumbersCommand(click.Command):
    """A command whose first arguments are the numbers of a module, or its names.

    "-1" is a number out of range, not an unknown option; a first word with a dot, such as pay.orders, is both names.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.ignore_unknown_options = any(_NEGATIVE.fullmatch(arg) for arg in args)
        first = self._first_word(ctx, args)
        if first is not None and _BOTH_NAMES in args[first]:
            args = [*args[: first + 1], _BOTH_NAMES, *args[first + 1 :]]
        return super().parse_args(ctx, args)

    def _first_word(self, ctx: click.Context, args: list[str]) -> int | None:
        """The index of the first argument that is neither an option nor the value of one."""
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        values = {name: one.nargs for one in options if not (one.is_flag or one.count) for name in one.opts}
        index = 0
        while index < len(args):
            arg = args[index]
            if arg == "--":
                return index + 1 if index + 1 < len(args) else None
            if not arg.startswith("-") or _NEGATIVE.fullmatch(arg):
                return index
            index += 1 + values.get(arg, 0)
        return None


def _id_or_name(word: str) -> int | str:
    """A modid or cmdid: a number, or a text that is a name. Raises click.BadParameter for a number out of range."""
    return int(_ID(word)) if re.fullmatch(r"-?\d+", word) else word


def module_arguments(command: F) -> F:
    """MODID CMDID, as the numbers `modid` and `cmdid`; names are looked up in the database."""
    return _module_arguments(command, required=True)


def optional_module_arguments(command: F) -> F:
    """[MODID [CMDID]], as the numbers `modid` and `cmdid`; names are looked up in the database. See check_optional."""
    return _module_arguments(command, required=False)


def _module_arguments(command: F, required: bool) -> F:
    @wraps(command)
    def with_numbers(*args: Any, modid: int | str | None, cmdid: int | str | None, **rest: Any) -> Any:
        if isinstance(modid, str) or isinstance(cmdid, str):
            modid, cmdid = _looked_up(modid, cmdid, rest.get("url"), required)
        return command(*args, modid=modid, cmdid=cmdid, **rest)

    second = click.argument("cmdid", type=_id_or_name, required=required)
    return cast(F, click.argument("modid", type=_id_or_name, required=required)(second(with_numbers)))


def _looked_up(modid: Any, cmdid: Any, url: DatabaseUrl | None, needs_cmdid: bool) -> tuple[int, int | None]:
    """The numbers of a module named by one or two words; of a command without `url`, by the database of LARS_DB."""
    if numbers := re.fullmatch(r"(\d+)\.(\d+)", modid) if cmdid == _BOTH_NAMES else None:
        return int(_ID(numbers[1])), int(_ID(numbers[2]))
    from lars.cli.database import NoDatabase, read_once  # they import Twisted, which commands with numbers do without
    from lars.cli.module_names import find_module
    from lars.db.names import all_names_txn, existing_txn

    try:
        return read_once(
            url or parse_url(os.environ.get("LARS_DB", DEFAULT_URL)),
            "look up a name",
            lambda txn: find_module(
                modid, cmdid, all_names_txn(txn), lambda some: existing_txn(txn, some), needs_cmdid
            ),
        )
    except NoDatabase as error:
        if url is not None:
            raise
        word = modid if isinstance(modid, str) else cmdid
        raise click.UsageError(
            f"{word!r} is no number, and without a database it is no name: give numbers, or set LARS_DB",
            click.get_current_context(),
        ) from error


def check_optional(modid: int | None, cmdid: int | None) -> ModuleId | None:
    """The module, or None unless both ids are given; raises InvalidRoute if it cannot exist."""
    return None if modid is None or cmdid is None else module_id(modid, cmdid)


HOST = parsed(serving_host)
"""The click type of IP:PORT: text to HostAddress."""

_DB_FILE = "lars.db_file"

Place = DatabaseUrl | Api
"""Where a command reads and edits: a database, or a lars-web."""


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """The options of `lars` that name a lars-web; `explicit`: on the command line, not in the environment."""

    url: str
    token_file: str | None
    explicit: bool

    def api(self) -> Api:
        """The lars-web; raises SettingsError if the token cannot be read."""
        if self.token_file is None:
            raise SettingsError("--api needs a token: name its file by --token-file or LARS_TOKEN_FILE")
        try:
            return Api(self.url, Path(self.token_file).read_text(encoding="utf-8").strip())
        except (OSError, ValueError) as error:
            raise SettingsError(f"token file {self.token_file}: cannot be read: {error}") from None


def _api_options(ctx: click.Context) -> ApiOptions | None:
    found = ctx.find_root().obj
    return found if isinstance(found, ApiOptions) else None


def _place(ctx: click.Context, option: click.Parameter, url: DatabaseUrl) -> Place:
    """The lars-web of --api, unless the command line names a database."""
    options = _api_options(ctx)
    if options is None:
        return _chosen(ctx, option, url)
    named = ctx.meta.get(_DB_FILE) or ctx.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
    if named and options.explicit:
        raise click.UsageError("--api and --db: give one of them")
    return _chosen(ctx, option, url) if named else options.api()


def _database_alone(ctx: click.Context, option: click.Parameter, url: DatabaseUrl) -> DatabaseUrl:
    """The database, unless --api suggests that it is not meant."""
    options = _api_options(ctx)
    named = ctx.meta.get(_DB_FILE) or ctx.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
    if options is not None and not named:
        raise click.UsageError("this command does not use --api (LARS_API): name the database by --db or --db-file")
    return _chosen(ctx, option, url)


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


def place_option(command: F) -> F:
    """--db and --db-file, as `url`: the database, or the lars-web of --api."""
    return _db_options(_place)(command)


def db_option(command: F) -> F:
    """--db and --db-file, as `url`, for a command that the API has no data for."""
    return _db_options(_database_alone)(command)


def _db_options(chosen: Callable[[click.Context, click.Parameter, DatabaseUrl], Place]) -> Callable[[F], F]:
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
        callback=chosen,
        help="The database: sqlite:///FILE or mysql://user:password@host:port/name.",
    )
    return lambda command: in_file(url(command))


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
