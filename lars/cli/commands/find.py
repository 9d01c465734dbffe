"""`lars find`: which modules an address, a name or a number is in."""

from datetime import datetime

import click

from lars.cli.arguments import db_option, json_option
from lars.cli.database import run_with_database
from lars.cli.exit_status import complain
from lars.cli.terminal.host_state import routed_state
from lars.cli.terminal.output import print_json, print_table
from lars.db.database import Database
from lars.db.machines import MachineHost, MachineStore
from lars.db.modules import ModuleFound, ModuleSearch, ModuleStore, joined_name
from lars.db.url import DatabaseUrl
from lars.errors import InvalidRoute, LarsError
from lars.host_record import usable
from lars.route import format_ip, parse_host, parse_ip

MOST = 1000
"""Modules that are listed at most."""


class NothingFound(LarsError):
    """No host and no module is what was looked for."""


@click.command()
@click.argument("text", metavar="IP|IP:PORT|NAME|NUMBER")
@db_option
@json_option
def find(text: str, url: DatabaseUrl, as_json: bool) -> None:
    """Find a host in all modules by its address, or modules by a part of their name, a modid or a cmdid.

    The exit status is 1 if there is none.

    \b
    Examples:
      lars find 10.0.0.5
      lars find 10.0.0.5:8080 --json
      lars find pay
    """
    try:
        ip, port = parse_host(text) if ":" in text else (parse_ip(text), None)
    except InvalidRoute:
        _find_modules(text, url, as_json)
    else:
        _find_hosts(text, ip, port, url, as_json)


def _find_hosts(text: str, ip: int, port: int | None, url: DatabaseUrl, as_json: bool) -> None:
    machine = run_with_database(url, lambda database: MachineStore(database).machine(ip))
    hosts = [one for one in machine.hosts if port in (None, one.host.port)]
    if not hosts:
        raise NothingFound(f"no module has a host at {text}")
    if as_json:
        print_json([_host_object(one) for one in hosts])
    else:
        now = datetime.now()
        columns = ["MODID", "CMDID", "NAME", "HOST", "WEIGHT", "ZONE", "STATE"]
        print_table(columns, [_host_row(one, now) for one in hosts])


def _find_modules(text: str, url: DatabaseUrl, as_json: bool) -> None:
    async def search(database: Database) -> list[ModuleFound]:
        return await ModuleStore(database).find(ModuleSearch(text, limit=MOST + 1), 0)

    found = run_with_database(url, search)
    if not found:
        raise NothingFound(f"no host has the address, and no module the number or name {text!r}")
    modules = found[:MOST]
    if as_json:
        print_json([{**one.id._asdict(), "name": _name(one), "hosts": one.hosts} for one in modules])
    else:
        print_table(["MODID", "CMDID", "NAME", "HOSTS"], [(*one.id, _name(one) or "-", one.hosts) for one in modules])
    if len(found) > MOST:
        complain(f"these are the first {MOST}: look for more of the name")


def _name(module: ModuleFound) -> str:
    return joined_name(module.modid_name, module.cmdid_name)


def _host_row(one: MachineHost, now: datetime) -> tuple[object, ...]:
    record = usable(one.record)
    return *one.module, one.name or "-", one.host, record.weight, record.zone or "-", routed_state(record, now)


def _host_object(one: MachineHost) -> dict[str, object]:
    record = usable(one.record)
    place = {"ip": format_ip(one.host.ip), "port": one.host.port}
    drained = {"weight": record.weight, "zone": record.zone, "draining": record.draining}
    return {**one.module._asdict(), "name": one.name, **place, **drained}
