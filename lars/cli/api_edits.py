"""Edits of routes as requests of the API, and its answers as what they changed."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from lars.cli.api import Api, ApiRequest
from lars.db.routes import EditDone, RouteChanged, RouteEdit
from lars.host_record import CHANGES, PLAIN, HostChange, HostRecord, HostRow
from lars.route import ModuleId, parse_host


def module_path(module: ModuleId) -> str:
    """The path of a module."""
    return f"/modules/{module.modid}/{module.cmdid}"


def request_of(edit: RouteEdit) -> ApiRequest:
    """The request for an edit that adds hosts, removes some, or removes all."""
    if edit.replace and not edit.add:
        return ApiRequest("DELETE", module_path(edit.module))
    hosts = {"add": sorted(map(str, edit.add)), "remove": sorted(map(str, edit.remove))}
    return ApiRequest.of("POST", f"{module_path(edit.module)}/hosts", hosts)


def edit_by_api(api: Api, edits: Sequence[RouteEdit]) -> EditDone:
    """Makes edits, one request for each, and one for each host whose record changes. Raises as Api.ask does."""
    done = []
    for edit in edits:
        if edit.add or edit.remove or edit.replace:
            done.append(done_of(api.ask(request_of(edit))))
        for host, change in edit.change.items():
            done.append(_change(api, f"{module_path(edit.module)}/hosts/{host}", change))
    return joined(done)


def _change(api: Api, path: str, change: HostChange) -> EditDone:
    """Changes the record of a host; the answer does not say how, so the record before is asked for."""
    before = record_of(json.loads(api.ask(ApiRequest("GET", path))))
    values = {name: value for name in CHANGES if (value := getattr(change, name)) is not None}
    done = done_of(api.ask(ApiRequest.of("PATCH", path, values)))
    changed = [
        RouteChanged(c.module, (), (), tuple((host, before, change.applied(before)) for host, _old, _new in c.altered))
        for c in done.changed
    ]
    return EditDone(done.version, tuple(changed))


def record_of(host: dict[str, Any]) -> HostRecord:
    """What is kept with a host, as the API shows it, without its drain."""
    return HostRecord(host["weight"], host["zone"], tuple(host["tags"]), host["note"])


def done_of(body: bytes) -> EditDone:
    """What an answer says of an edit. The records of altered hosts are not in it."""
    answer = json.loads(body)
    return EditDone(answer["version"], tuple(map(_changed, answer["changed"])))


def _changed(entry: dict[str, Any]) -> RouteChanged:
    removed, added, altered = (tuple(map(parse_host, entry[name])) for name in ("removed", "added", "altered"))
    module = ModuleId(entry["modid"], entry["cmdid"])
    return RouteChanged(module, removed, added, tuple((host, PLAIN, PLAIN) for host in altered))


def joined(done: Iterable[EditDone]) -> EditDone:
    """Several edits as one: the changes of each module together, and the newest version."""
    modules: dict[ModuleId, RouteChanged] = {}
    version = 0
    for one in done:
        version = max(version, one.version)
        for c in one.changed:
            had = modules.get(c.module, RouteChanged(c.module, (), ()))
            modules[c.module] = RouteChanged(
                c.module, had.before + c.before, had.after + c.after, had.altered + c.altered
            )
    return EditDone(version, tuple(modules.values()))


def rows_by_api(api: Api, modid: int | None, cmdid: int | None) -> list[HostRow]:
    """The rows of all modules, of those of one modid, or of one module, sorted. Raises as Api.ask does."""
    if modid is not None and cmdid is not None:
        module = json.loads(api.ask(ApiRequest("GET", module_path(ModuleId(modid, cmdid)))))
        return [(modid, cmdid, *parse_host(host["host"]), _drained(host)) for host in module["hosts"]]
    modules = sorted({(row["modid"], row["cmdid"]) for row in json.loads(api.ask(ApiRequest("GET", "/routes")))})
    wanted = [module for module in modules if modid in (None, module[0])]
    return [row for module in wanted for row in rows_by_api(api, *module)]


def _drained(host: dict[str, Any]) -> HostRecord:
    """What is kept with a host, its drain too."""
    drain = host["drain"]
    if drain is None:
        return record_of(host)
    until = int(datetime.fromisoformat(drain["until"]).timestamp()) if drain["until"] else 0
    return replace(record_of(host), drained_weight=drain["weight"], drained_until=until, drain_reason=drain["reason"])
