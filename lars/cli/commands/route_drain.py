"""`lars route drain` and `undrain`: takes hosts of one module out of use for a while."""

from collections.abc import Sequence
from dataclasses import dataclass

import click

from lars.cli.api_edits import module_path
from lars.cli.arguments import HOST, NumbersCommand, Place, module_arguments, place_option
from lars.cli.drains import Target, drain_hosts, drain_options, undrain_hosts
from lars.db.routes import EditDone, RouteEdit, RouteStore
from lars.host_record import HostChange
from lars.route import HostAddress, ModuleId, module_id


@click.command(cls=NumbersCommand)
@module_arguments
@click.argument("hosts", metavar="IP:PORT...", nargs=-1, required=True, type=HOST)
@drain_options
@place_option
def drain(modid: int, cmdid: int, hosts: tuple[HostAddress, ...], seconds: int | None, why: str, url: Place) -> None:
    """Drain hosts of module (MODID, CMDID): they get no new call while another host of the module has weight.

    They stay in the route, and calls under way end normally. Of a host that is drained already, end and reason change.

    \b
    Examples:
      lars route drain 1 1 10.0.0.5:8080 --for 2h --reason "kernel update"
      lars route drain 1 1 10.0.0.5:8080 10.0.0.6:8080
    """
    drain_hosts(url, seconds, why, Hosts(module_id(modid, cmdid), hosts))


@click.command(cls=NumbersCommand)
@module_arguments
@click.argument("hosts", metavar="IP:PORT...", nargs=-1, required=True, type=HOST)
@place_option
def undrain(modid: int, cmdid: int, hosts: tuple[HostAddress, ...], url: Place) -> None:
    """Give drained hosts of module (MODID, CMDID) their weight back; hosts that are not drained are no error.

    \b
    Example:
      lars route undrain 1 1 10.0.0.5:8080
    """
    undrain_hosts(url, Hosts(module_id(modid, cmdid), hosts))


@dataclass(frozen=True, slots=True)
class Hosts(Target):
    """Some hosts of one module, as a target of drains."""

    module: ModuleId
    hosts: tuple[HostAddress, ...]

    @property
    def paths(self) -> Sequence[str]:
        return [f"{module_path(self.module)}/hosts/{host}/drain" for host in self.hosts]

    async def edit(self, store: RouteStore, actor: str, now: float, change: HostChange) -> EditDone:
        return await store.edit(actor, now, [RouteEdit(self.module, change=dict.fromkeys(self.hosts, change))])
