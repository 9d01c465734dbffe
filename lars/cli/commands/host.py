"""`lars host`: edits of one machine, whose hosts may be in many modules."""

import click

from lars.cli.arguments import db_option, parsed
from lars.cli.drains import Edit, drain_hosts, drain_options, undrain_hosts
from lars.cli.group import CommandGroup
from lars.db.routes import EditDone, RouteStore
from lars.db.url import DatabaseUrl
from lars.host_record import HostChange
from lars.route import parse_ip


@click.group(cls=CommandGroup)
def host() -> None:
    """Drain a machine: its hosts in all modules, in one edit."""


_ip = click.argument("ip", metavar="IP", type=parsed(parse_ip))


@host.command()
@_ip
@drain_options
@db_option
def drain(ip: int, seconds: int | None, why: str, url: DatabaseUrl) -> None:
    """Drain the machine at address IP: none of its hosts gets a new call while others of the module have weight.

    The hosts stay in their routes, and calls under way end normally.

    \b
    Examples:
      lars host drain 10.0.0.5 --for 2h --reason "kernel update"
      lars host drain 10.0.0.5
    """
    drain_hosts(url, seconds, why, _edit(ip))


@host.command()
@_ip
@db_option
def undrain(ip: int, url: DatabaseUrl) -> None:
    """Give the drained hosts of the machine at address IP their weight back, in all modules.

    \b
    Example:
      lars host undrain 10.0.0.5
    """
    undrain_hosts(url, _edit(ip))


def _edit(ip: int) -> Edit:
    async def edit(store: RouteStore, actor: str, now: float, change: HostChange) -> EditDone:
        return await store.edit_machine(actor, now, ip, change)

    return edit
