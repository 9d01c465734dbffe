"""`lars route add` and `rm`: edits of one module."""

import time
from collections.abc import Sequence

import click

from lars.cli.actor import actor
from lars.cli.api import Api
from lars.cli.api_edits import edit_by_api
from lars.cli.arguments import HOST, NumbersCommand, Place, module_arguments, place_option
from lars.cli.database import run_with_database
from lars.db.routes import EditDone, RouteEdit, RouteStore
from lars.route import HostAddress, module_id
from lars.wording import counted


@click.command(cls=NumbersCommand)
@module_arguments
@click.argument("hosts", metavar="IP:PORT...", nargs=-1, required=True, type=HOST)
@place_option
def add(modid: int, cmdid: int, hosts: tuple[HostAddress, ...], url: Place) -> None:
    """Add hosts to module (MODID, CMDID); hosts that it already has are no error.

    \b
    Example:
      lars route add 1 1 10.0.0.5:8080 10.0.0.6:8080
    """
    done = edit_routes(url, [RouteEdit(module_id(modid, cmdid), add=frozenset(hosts))])
    click.echo(_described(done))


@click.command(cls=NumbersCommand)
@module_arguments
@click.argument("hosts", metavar="IP:PORT...", nargs=-1, type=HOST)
@click.option("--all", "everything", is_flag=True, help="Remove every host: the module then no longer exists.")
@place_option
def rm(modid: int, cmdid: int, hosts: tuple[HostAddress, ...], everything: bool, url: Place) -> None:
    """Remove hosts from module (MODID, CMDID); hosts that it does not have are no error.

    \b
    Examples:
      lars route rm 1 1 10.0.0.5:8080
      lars route rm 1 1 --all
    """
    if everything == bool(hosts):
        raise click.UsageError("give the hosts to remove as IP:PORT, or remove all with --all")
    edit = RouteEdit(module_id(modid, cmdid), remove=frozenset(hosts), replace=everything)
    click.echo(_described(edit_routes(url, [edit])))


def edit_routes(url: Place, edits: Sequence[RouteEdit]) -> EditDone:
    """Makes the edits in one transaction, with this user as the actor, or by the API as the user of the token."""
    if isinstance(url, Api):
        return edit_by_api(url, edits)
    return run_with_database(url, lambda database: RouteStore(database).edit(actor(), time.time(), edits))


def _described(done: EditDone) -> str:
    """The edit of one module as one line."""
    if not done.changed:
        return f"nothing to change; version {done.version}"
    (changed,) = done.changed
    if changed.added:
        return f"added {counted(len(changed.added), 'host')} to {changed.module}; version {done.version}"
    return f"removed {counted(len(changed.removed), 'host')} from {changed.module}; version {done.version}"
