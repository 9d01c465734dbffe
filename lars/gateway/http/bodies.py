"""What clients send: reports of calls, and Envoy's discovery requests. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lars.errors import InvalidRoute, LarsError
from lars.route import HostAddress, ModuleId, module_id, parse_host

MAX_REPORTS = 10_000
"""Reports in one request."""

MAX_RETCODE = 2**31 - 1

MAX_COST = 86_400.0
"""Seconds that a call can have taken."""

MAX_RESOURCES = 1_000
"""Modules in one discovery request."""

_REPORT_KEYS = frozenset({"host", "retcode", "cost"})


class BadRequest(LarsError):
    """A request cannot be used."""


@dataclass(frozen=True, slots=True)
class Report:
    """How one call went, as the arguments of a client's `report`."""

    address: HostAddress
    retcode: int
    cost: float | None


def read_reports(body: bytes) -> list[Report]:
    """One report or a list of them; raises BadRequest, which says which one is wrong and how."""
    value = _json(body)
    items = value if isinstance(value, list) else [value]
    if len(items) > MAX_REPORTS:
        raise BadRequest(f"{len(items)} reports are too many: send at most {MAX_REPORTS} at once")
    return [_report(item, f"report {number}: " if isinstance(value, list) else "") for number, item in enumerate(items)]


def _report(item: object, where: str) -> Report:
    if not isinstance(item, dict):
        raise BadRequest(f'{where}write a report as {{"host": "10.0.0.5:8080", "retcode": 0, "cost": 0.012}}')
    unknown = [key for key in item if key not in _REPORT_KEYS]
    if unknown:
        raise BadRequest(f"{where}{unknown[0]!r} is not a member of a report: those are host, retcode and cost")
    host, retcode, cost = item.get("host"), item.get("retcode", 0), item.get("cost")
    if type(retcode) is float and retcode.is_integer():  # 1.0 is an integer of JSON Schema, and Lua's 1
        retcode = int(retcode)
    if not isinstance(host, str):
        raise BadRequest(f"{where}host is missing: give it as the gateway did, such as 10.0.0.5:8080")
    if type(retcode) is not int or abs(retcode) > MAX_RETCODE:
        raise BadRequest(
            f"{where}retcode {retcode!r} cannot be used: give 0 for a success, another number for a failure"
        )
    if cost is not None and (type(cost) not in (int, float) or not 0 <= cost <= MAX_COST):
        raise BadRequest(f"{where}cost {cost!r} cannot be used: give the seconds that the call took")
    try:
        return Report(parse_host(host), retcode, None if cost is None else float(cost))
    except InvalidRoute as error:
        raise BadRequest(f"{where}{error}") from None


@dataclass(frozen=True, slots=True)
class DiscoveryRequest:
    """Which modules Envoy asks for, by the names that it uses for them, and the version that it has."""

    modules: Mapping[str, ModuleId]
    version_info: str


def read_discovery(body: bytes, type_url: str) -> DiscoveryRequest:
    """An Envoy DiscoveryRequest in protobuf's JSON, which has names in either case; raises BadRequest.

    Args:
        body: the request's.
        type_url: what may be asked for.
    """
    value = _json(body)
    if not isinstance(value, dict):
        raise BadRequest("the body is not a DiscoveryRequest: send a JSON object")
    names = _member(value, "resource_names", "resourceNames", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadRequest("resource_names is not a list of strings: name modules as 1.1 or lars/1/1")
    if len(names) > MAX_RESOURCES:
        raise BadRequest(f"{len(names)} resource_names are too many: ask for at most {MAX_RESOURCES} at once")
    asked = _member(value, "type_url", "typeUrl", type_url)
    if asked != type_url:
        raise BadRequest(f"type_url {asked!r} is not served here: ask for {type_url}")
    version = _member(value, "version_info", "versionInfo", "")
    return DiscoveryRequest({name: named_module(name) for name in names}, version if isinstance(version, str) else "")


def _member(value: Mapping[str, Any], snake: str, camel: str, default: Any) -> Any:
    return value.get(snake, value.get(camel, default))


def named_module(name: str) -> ModuleId:
    """ "1.1" or "lars/1/1": modid and cmdid; raises BadRequest."""
    parts = name.removeprefix("lars/").split("/") if name.startswith("lars/") else name.split(".")
    try:
        if len(parts) == 2:
            return ModuleId(*parsed_ids(*parts))
    except InvalidRoute as error:
        raise BadRequest(f"{name!r}: {error}") from None
    raise BadRequest(f"{name!r} is not a module: write MODID.CMDID, as in 1.1, or lars/1/1")


def parsed_ids(modid: str, cmdid: str) -> ModuleId:
    """Two decimal numbers -> a module; raises InvalidRoute."""
    for text in (modid, cmdid):
        if not (text.isascii() and text.isdigit() and len(text) <= 10):
            raise InvalidRoute(f"{text!r} is not an id: modid and cmdid are whole numbers")
    return module_id(int(modid), int(cmdid))


def _json(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise BadRequest("the body is not JSON") from None


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not JSON")
