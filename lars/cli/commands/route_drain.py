"""`lars route drain` and `undrain`: takes hosts of one module out of use for a while."""

import click

from lars.cli.arguments import HOST, NumbersCommand, db_option, module_arguments
from lars.cli.drains import Edit, drain_hosts, drain_options, undrain_hosts
from lars.db.routes import EditDone, RouteEdit, RouteStore
from lars.db.url import DatabaseUrl
from lars.host_record import HostChange
from lars.route import HostAddress, ModuleId, module_id


@click.command(cls=NumbersCommand)
@module_arguments
@click.argument("hosts", metavar="IP:PORT...", nargs=-1, required=True, type=HOST)
@drain_options
@db_option
def drain(
    modid: int, cmdid: int, hosts: tuple[HostAddress, ...], seconds: int | None, why: str, url: DatabaseUrl
) -> None:
    """Drain hosts of module (MODID, CMDID): they get no new call while another host of the module has weight.

    They stay in the route, and calls under way end normally. Of a host that is drained already, end and reason change.

    \b
    Examples:
      lars route drain 1 1 10.0.0.5:8080 --for 2h --reason "kernel update"
      lars route drain 1 1 10.0.0.5:8080 10.0.0.6:8080
    """
    drain_hosts(url, seconds, why, _edit(module_id(modid, cmdid), hosts))


@click.command(cls=NumbersCommand)
@module_arguments
@click.argument("hosts", metavar="IP:PORT...", nargs=-1, required=True, type=HOST)
@db_option
def undrain(modid: int, cmdid: int, hosts: tuple[HostAddress, ...], url: DatabaseUrl) -> None:
    """Give drained hosts of module (MODID, CMDID) their weight back; hosts that are not drained are no error.

    \b
    Example:
      lars route undrain 1 1 10.0.0.5:8080
    """
    undrain_hosts(url, _edit(module_id(modid, cmdid), hosts))


def _edit(module: ModuleId, hosts: tuple[HostAddress, ...]) -> Edit:
    async def edit(store: RouteStore, actor: str, now: float, change: HostChange) -> EditDone:
        return await store.edit(actor, now, [RouteEdit(module, change=dict.fromkeys(hosts, change))])

    return edit
