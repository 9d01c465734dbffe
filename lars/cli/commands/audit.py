"""`lars audit`: who edited what, and when."""

from collections.abc import Sequence
from datetime import datetime

import click

from lars.cli.arguments import NumbersCommand, check_optional, db_option, json_option, optional_module_arguments
from lars.cli.database import run_with_database
from lars.cli.terminal.output import print_json, print_table
from lars.db.audit import AuditRow, AuditStore, Edit
from lars.db.url import DatabaseUrl
from lars.errors import InvalidRoute
from lars.route import ModuleId
from lars.web.audit_lines import changed_lines

SHOWN = 4
"""Lines of a change that its row in the table has at most; --json has all."""


@click.command(cls=NumbersCommand)
@optional_module_arguments
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Edits at most.")
@click.option("--before", type=click.IntRange(1), metavar="ID", help="Only edits before this one.")
@db_option
@json_option
def audit(
    modid: int | None, cmdid: int | None, limit: int, before: int | None, url: DatabaseUrl, as_json: bool
) -> None:
    """List the edits of everything, or of one module and its names, the newest first.

    "-" marks what is gone, "+" what has come.

    \b
    Examples:
      lars audit
      lars audit 1 1 --limit 5
      lars audit --before 120 --json
    """
    module = check_optional(modid, cmdid)
    if modid is not None and module is None:
        raise InvalidRoute(f"modid {modid} alone is no module: give its cmdid, too")
    rows = run_with_database(url, lambda database: AuditStore(database).edits(module, before, limit))
    if as_json:
        print_json([_object(row) for row in rows])
    else:
        print_table(["ID", "WHEN", "WHO", "WHAT", "VERSION", "CHANGE"], [_row(row) for row in rows])


def _object(row: AuditRow) -> dict[str, object]:
    edit = row.edit
    place = {"what": edit.what, "modid": edit.modid, "cmdid": edit.cmdid}
    change = {"before": edit.before, "after": edit.after, "version": edit.version}
    return {"id": row.id, "at": row.at, "actor": row.actor, **place, **change}


def _row(row: AuditRow) -> tuple[object, ...]:
    gone, come = changed_lines(row.edit, _moment)
    change = _shortened([*(f"- {line}" for line in gone), *(f"+ {line}" for line in come)])
    return row.id, _moment(row.at), row.actor, _what(row.edit), row.edit.version or "-", change


def _shortened(lines: Sequence[str]) -> str:
    more = f"; and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return "; ".join(lines[:SHOWN]) + more


def _what(edit: Edit) -> str:
    if edit.what == "hosts":
        return f"hosts of {ModuleId(edit.modid, edit.cmdid)}"
    if edit.what in ("modid", "cmdid"):
        return f"name of {edit.what} {edit.modid or edit.cmdid}"
    return edit.what


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M:%S}"
