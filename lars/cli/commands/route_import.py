"""`lars route import`: writes a file of routes to the database, all or nothing."""

import time
from collections.abc import Iterator
from typing import BinaryIO

import click

from lars.cli.actor import actor
from lars.cli.arguments import db_option
from lars.cli.commands.route_edit import edit_routes
from lars.cli.database import run_with_database
from lars.db.routes import EditDone, RouteEdit, RouteStore
from lars.db.url import DatabaseUrl
from lars.route_formats import read_routes
from lars.wording import counted


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--replace", is_flag=True, help="In the modules of FILE, remove the hosts that it does not list.")
@click.option("--dry-run", is_flag=True, help="Show what would change, but change nothing.")
@db_option
def import_(file: BinaryIO, replace: bool, dry_run: bool, url: DatabaseUrl) -> None:
    """Add the routes of FILE, or of standard input for -.

    FILE is CSV with the first line modid,cmdid,ip,port, or a JSON list of objects with those keys. Both may also have
    weight, zone, tags and note; what FILE does not say of a host stays. If any line is invalid, the command reports
    every invalid line and changes nothing.

    \b
    Examples:
      lars route import routes.csv --dry-run
      lars route import --replace routes.json
      lars route export --db sqlite:///old.db | lars route import -
    """
    name = "standard input" if file.name == "<stdin>" else file.name
    routes = read_routes(name, file.read())
    edits = [RouteEdit.of_file(module, hosts, replace) for module, hosts in sorted(routes.items())]
    if dry_run:
        done = run_with_database(url, lambda database: RouteStore(database).rehearse(actor(), time.time(), edits))
        click.echo("\n".join([*_changes(done), f"{_summary('would change', done)} (dry run: nothing was changed)"]))
    else:
        done = edit_routes(url, edits)
        click.echo(f"{_summary('changed', done)}; version {done.version}")


def _changes(done: EditDone) -> Iterator[str]:
    for changed in done.changed:
        for host in changed.removed:
            yield f"- {changed.module} {host}"
        for host in changed.added:
            yield f"+ {changed.module} {host}"
        for line in changed.altered_lines:
            yield f"~ {changed.module} {line}"


def _summary(verb: str, done: EditDone) -> str:
    if not done.changed:
        return "nothing to change"
    added = sum(len(changed.added) for changed in done.changed)
    removed = sum(len(changed.removed) for changed in done.changed)
    altered = sum(len(changed.altered) for changed in done.changed)
    more = f", {altered} altered" if altered else ""
    return f"{verb} {counted(len(done.changed), 'module')}: {counted(added, 'host')} added, {removed} removed{more}"
