"""`lars route list` and `export`: the routes in the database."""

import json
from datetime import datetime

import click

from lars.cli.api import Api, ApiRequest
from lars.cli.api_edits import rows_by_api
from lars.cli.arguments import (
    NumbersCommand,
    Place,
    check_optional,
    json_option,
    optional_module_arguments,
    place_option,
)
from lars.cli.database import run_with_database
from lars.cli.exit_status import complain
from lars.cli.terminal.host_state import routed_state
from lars.cli.terminal.output import print_json, print_table
from lars.db.routes import RouteStore
from lars.host_record import HostRecord, HostRow, usable
from lars.route import HostAddress
from lars.route_formats import DRAIN, as_csv, as_objects, is_route
from lars.wording import counted


@click.command("list", cls=NumbersCommand)
@optional_module_arguments
@place_option
@json_option
def list_(modid: int | None, cmdid: int | None, url: Place, as_json: bool) -> None:
    """List the hosts of all modules, of those of one MODID, or of one module, as the database has them.

    STATE is active, draining (with end and reason), or drained: weight 0 without a drain.

    \b
    Examples:
      lars route list
      lars route list 1 1 --json
    """
    check_optional(modid, cmdid)
    rows = _rows(url, modid, cmdid)
    if as_json:
        drains = [{DRAIN: _drain(record)} for *_place, record in rows]
        print_json([{**host, **drain} for host, drain in zip(as_objects(rows), drains, strict=True)])
    else:
        now = datetime.now()
        print_table(["MODID", "CMDID", "HOST", "WEIGHT", "ZONE", "STATE"], [_row(row, now) for row in rows])


def _rows(url: Place, modid: int | None, cmdid: int | None) -> list[HostRow]:
    """The rows of all modules, of those of one modid, or of one module."""
    if isinstance(url, Api):
        return rows_by_api(url, modid, cmdid)
    return run_with_database(url, lambda database: RouteStore(database).routes(modid, cmdid))


def _row(row: HostRow, now: datetime) -> tuple[object, ...]:
    modid, cmdid, ip, port, given = row
    record = usable(given)
    return modid, cmdid, HostAddress(ip, port), record.weight, record.zone or "-", routed_state(record, now)


def _drain(record: HostRecord) -> dict[str, object] | None:
    """The drain of a host for JSON: its end in Unix seconds, its reason, and the weight that is to be restored."""
    if not record.draining:
        return None
    return {"until": record.drained_until or None, "reason": record.drain_reason, "weight": record.drained_weight}


@click.command()
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@place_option
def export(form: str, url: Place) -> None:
    """Print all routes in a form that `lars route import` reads.

    \b
    Examples:
      lars route export > routes.csv
      lars route export --format json --db mysql://lars:secret@10.0.0.1/lars_dns
    """
    if isinstance(url, Api):
        text = url.ask(ApiRequest("GET", f"/routes?format={form}")).decode()
        if form == "json":
            print_json(json.loads(text))
        else:
            click.echo(text, nl=False)
        return
    rows = run_with_database(url, lambda database: RouteStore(database).routes())
    usable = [row for row in rows if is_route(row)]
    if form == "json":
        print_json(as_objects(usable))
    else:
        click.echo(as_csv(usable))
    if left_out := len(rows) - len(usable):
        complain(f"left out {counted(left_out, 'row')} that cannot be a route: `lars db check` lists them")
