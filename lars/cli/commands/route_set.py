"""`lars route set`: changes what is kept with a host."""

import click
from click.shell_completion import CompletionItem

from lars.cli.arguments import HOST, NumbersCommand, Place, module_arguments, place_option
from lars.cli.commands.route_edit import edit_routes
from lars.db.routes import RouteEdit
from lars.host_record import CHANGES, MAX_NOTE, MAX_TAGS, MAX_WEIGHT, MAX_ZONE, parse_change
from lars.route import HostAddress, module_id

HELP = f"""Change weight, zone, tags or note of a host of module (MODID, CMDID). What is not named stays.

\b
  weight=0 to {MAX_WEIGHT}  its share of calls relative to the module's other hosts
  zone=NAME         where it is: up to {MAX_ZONE} of a-z, 0-9, dot and hyphen
  tags=A,B          up to {MAX_TAGS} words for people and programs
  note=TEXT         a line for people, up to {MAX_NOTE} characters

An empty value, as in `zone=`, removes zone, tags or note. A weight above 0 ends a drain.

\b
Examples:
  lars route set 1 1 10.0.0.5:8080 weight=50 zone=b
  lars route set 1 1 10.0.0.5:8080 tags=ssd,rack-7 note="new disk"
"""


def _complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(f"{name}=") for name in CHANGES if f"{name}=".startswith(incomplete)]


@click.command("set", cls=NumbersCommand, help=HELP)
@module_arguments
@click.argument("host", metavar="IP:PORT", type=HOST)
@click.argument("changes", metavar="NAME=VALUE...", nargs=-1, required=True, shell_complete=_complete)
@place_option
def set_(modid: int, cmdid: int, host: HostAddress, changes: tuple[str, ...], url: Place) -> None:
    """Changes the record of a host, and prints what is another."""
    edit = RouteEdit(module_id(modid, cmdid), change={host: parse_change(changes)})
    done = edit_routes(url, [edit])
    lines = [f"{changed.module} {line}; " for changed in done.changed for line in changed.altered_lines]
    click.echo(f"{''.join(lines) or 'nothing to change; '}version {done.version}")
