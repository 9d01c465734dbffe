"""`lars user`: manages who may sign in to lars-web."""

import sys
import time

import click

from lars.accounts import ROLES, hash_password, new_password, user_name
from lars.cli.actor import actor
from lars.cli.arguments import db_option, parsed
from lars.cli.database import run_with_database
from lars.cli.group import CommandGroup
from lars.db.accounts import AccountStore
from lars.db.url import DatabaseUrl
from lars.module_ranges import ModuleRanges, module_ranges

_NAME = parsed(user_name)
_RANGES = parsed(module_ranges)


@click.group(cls=CommandGroup)
def user() -> None:
    """Add and remove users of lars-web, and set their passwords."""


def _read_password_hash(user: str) -> str:
    """Reads a password of a user, typed twice at a terminal, else from standard input; returns its hash."""
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt="Repeat the password", err=True)
    else:
        typed = sys.stdin.readline().rstrip("\r\n")
    return hash_password(parsed(lambda text: new_password(text, user))(typed))


@user.command()
@click.argument("name", type=_NAME)
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True, help="What the user may do.")
@click.option(
    "--modules",
    "ranges",
    type=_RANGES,
    default="",
    metavar="RANGES",
    help="The modules that an editor edits, such as 1-99,200.1; without it, all.",
)
@db_option
def add(name: str, role: str, ranges: ModuleRanges, url: DatabaseUrl) -> None:
    """Add user NAME, with a password from the terminal or standard input.

    A viewer can look, an editor can edit routes, and an admin can also edit users.

    \b
    Examples:
      lars user add lea --role editor
      lars user add bob --role editor --modules 1-99
      lars user add lea --role editor < password.txt
    """
    hashed = _read_password_hash(name)
    run_with_database(
        url, lambda database: AccountStore(database).add(actor(), name, hashed, role, time.time(), ranges)
    )
    limits = "" if ranges.is_everything else f", modules {ranges}"
    click.echo(f"added {name}, {role}{limits}")


@user.command()
@click.argument("name", type=_NAME)
@db_option
def passwd(name: str, url: DatabaseUrl) -> None:
    """Set the password of user NAME, and end all sessions of that user.

    \b
    Example:
      lars user passwd lea
    """
    hashed = _read_password_hash(name)
    run_with_database(url, lambda database: AccountStore(database).set_password(actor(), name, hashed, time.time()))
    click.echo(f"set the password of {name}, and ended all sessions of {name}")


@user.command()
@click.argument("name", type=_NAME)
@db_option
def rm(name: str, url: DatabaseUrl) -> None:
    """Remove user NAME, with all sessions and tokens; the last admin cannot be removed.

    \b
    Example:
      lars user rm lea
    """
    run_with_database(url, lambda database: AccountStore(database).remove(actor(), name, time.time()))
    click.echo(f"removed {name}")
