"""`lars host`: edits of one machine, whose hosts may be in many modules."""

from collections.abc import Sequence
from dataclasses import dataclass

import click

from lars.cli.arguments import Place, parsed, place_option
from lars.cli.drains import Target, drain_hosts, drain_options, undrain_hosts
from lars.cli.group import CommandGroup
from lars.db.routes import EditDone, RouteStore
from lars.host_record import HostChange
from lars.route import format_ip, parse_ip


@click.group(cls=CommandGroup)
def host() -> None:
    """Drain a machine: its hosts in all modules, in one edit."""


_ip = click.argument("ip", metavar="IP", type=parsed(parse_ip))


@host.command()
@_ip
@drain_options
@place_option
def drain(ip: int, seconds: int | None, why: str, url: Place) -> None:
    """Drain the machine at address IP: none of its hosts gets a new call while others of the module have weight.

    The hosts stay in their routes, and calls under way end normally.

    \b
    Examples:
      lars host drain 10.0.0.5 --for 2h --reason "kernel update"
      lars host drain 10.0.0.5
    """
    drain_hosts(url, seconds, why, MachineAt(ip))


@host.command()
@_ip
@place_option
def undrain(ip: int, url: Place) -> None:
    """Give the drained hosts of the machine at address IP their weight back, in all modules.

    \b
    Example:
      lars host undrain 10.0.0.5
    """
    undrain_hosts(url, MachineAt(ip))


@dataclass(frozen=True, slots=True)
class MachineAt(Target):
    """All hosts at an address, as a target of drains."""

    ip: int

    @property
    def paths(self) -> Sequence[str]:
        return [f"/machines/{format_ip(self.ip)}/drain"]

    async def edit(self, store: RouteStore, actor: str, now: float, change: HostChange) -> EditDone:
        return await store.edit_machine(actor, now, self.ip, change)
