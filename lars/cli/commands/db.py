"""`lars db`: creates, upgrades and checks the database."""

from dataclasses import asdict

import click
from twisted.internet.threads import deferToThread

from lars.cli.arguments import db_option, json_option
from lars.cli.database import run_with_database, run_with_engine
from lars.cli.group import CommandGroup
from lars.cli.terminal.output import print_json
from lars.db.database import Database, engine_for
from lars.db.engine import DatabaseAway, DatabaseError, Engine
from lars.db.mysql import MysqlEngine
from lars.db.schema import Checked, check_txn, init_txn
from lars.db.url import DatabaseUrl, MysqlUrl, SqliteUrl
from lars.errors import LarsError
from lars.wording import counted

INIT_READ_TIMEOUT = 3600.0
"""Seconds that one statement of `lars db init` may take: altering a large table takes minutes."""


@click.group(cls=CommandGroup)
def db() -> None:
    """Create, upgrade and check the database."""


@db.command()
@db_option
def init(url: DatabaseUrl) -> None:
    """Create the missing tables, and upgrade an older database.

    No data is lost, and running it again is harmless. The tables of C++ Lars are kept as they are. On a server, the
    database itself is created, too, if the user has the right to.

    \b
    Examples:
      lars db init
      lars db init --db mysql://root:secret@127.0.0.1:3306/lars_dns
    """
    if isinstance(url, SqliteUrl) and not url.path.parent.is_dir():
        raise LarsError(f"{url}: no such directory: {url.path.parent}: create it first")
    engine = MysqlEngine(url, INIT_READ_TIMEOUT) if isinstance(url, MysqlUrl) else engine_for(url)

    async def work(database: Database) -> list[str]:
        created = await deferToThread(_create_database, engine)
        done = await database.write_repeatable("create the schema", init_txn)
        return [f"created {url}", *done] if created else done

    done = run_with_engine(engine, work)
    click.echo("\n".join([*done, f"{url} is ready"] if done else [f"{url} is ready: nothing to do"]))


def _create_database(engine: Engine) -> bool:
    try:
        return engine.create_database()
    except engine.errors as error:
        kind = DatabaseAway if engine.is_passing(error) else DatabaseError
        raise kind(f"{engine.where}: connect: {engine.reason(error)}") from error


@db.command(short_help="Check the database for problems.")
@db_option
@json_option
def check(url: DatabaseUrl, as_json: bool) -> None:
    """Check the database for missing tables and columns, and for routes that no service can use.

    Prints a line for each problem, with what to do about it; the exit status is 1 if there are any.

    \b
    Examples:
      lars db check
      lars db check --json --db sqlite:////var/lib/lars/lars.db
    """
    checked = run_with_database(url, lambda database: database.read("check the database", check_txn))
    if as_json:
        print_json({"database": str(url), **asdict(checked)})
    else:
        click.echo("\n".join(_described(url, checked)))
    if checked.problems:
        raise LarsError(f"{url}: {counted(len(checked.problems), 'problem')} found")


def _described(url: DatabaseUrl, checked: Checked) -> list[str]:
    if checked.problems:
        return checked.problems
    routes, modules = counted(checked.routes, "route"), counted(checked.modules, "module")
    return [f"{url} is sound: {routes} of {modules}, version {checked.version}"]
