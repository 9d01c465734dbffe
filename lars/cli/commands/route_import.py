"""`lars route import`: writes a file of routes to the database, all or nothing."""

import time
from collections.abc import Iterator
from typing import BinaryIO

import click

from lars.cli.actor import actor
from lars.cli.api import CSV, JSON, Api, ApiRequest
from lars.cli.api_edits import done_of
from lars.cli.arguments import Place, place_option
from lars.cli.commands.route_edit import edit_routes
from lars.cli.database import run_with_database
from lars.db.routes import EditDone, RouteEdit, RouteStore
from lars.route_formats import read_routes
from lars.wording import counted


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--replace", is_flag=True, help="In the modules of FILE, remove the hosts that it does not list.")
@click.option("--dry-run", is_flag=True, help="Show what would change, but change nothing.")
@place_option
def import_(file: BinaryIO, replace: bool, dry_run: bool, url: Place) -> None:
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
    content = file.read()
    routes = read_routes(name, content)
    edits = [RouteEdit.of_file(module, hosts, replace) for module, hosts in sorted(routes.items())]
    if isinstance(url, Api):
        kind = JSON if content.lstrip()[:1] in (b"[", b"{") else CSV
        query = f"?replace={str(replace).lower()}&dry_run={str(dry_run).lower()}"
        done = done_of(url.ask(ApiRequest("POST", f"/routes{query}", content, kind)))
    elif dry_run:
        done = run_with_database(url, lambda database: RouteStore(database).rehearse(actor(), time.time(), edits))
    else:
        done = edit_routes(url, edits)
    if dry_run:
        click.echo("\n".join([*_changes(done), f"{_summary('would change', done)} (dry run: nothing was changed)"]))
    else:
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
