"""The schemas of the API's OpenAPI document: what is sent and answered."""

from typing import Any

from lars.db.modules import MAX_NAME
from lars.host_condition import Condition
from lars.host_record import MAX_DRAIN, MAX_NOTE, MAX_TAG, MAX_TAGS, MAX_WEIGHT, MAX_ZONE
from lars.module_settings import json_schema
from lars.route import MAX_HOSTS, MAX_ID

Schema = dict[str, Any]

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PORT = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
HOST_PATTERN = rf"^(?!0\.0\.0\.0:){_OCTET}(\.{_OCTET}){{3}}:{_PORT}$"

_UNPRINTABLE = (
    r"\u0000-\u001f\u007f-\u00a0\u00ad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff0-\ufffb"
)
"""What no name has, for a class of a regular expression: controls, formats, and blanks other than the space."""

NAME_PATTERN = rf"^([^ {_UNPRINTABLE}]([^{_UNPRINTABLE}]*[^ {_UNPRINTABLE}])?)?$"
"""A name, as lars.web.api.input takes it."""

ID: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_ID}
COUNT: Schema = {"type": "integer", "minimum": 0}
_TIME: Schema = {"type": "string", "format": "date-time"}
HOST: Schema = {"type": "string", "pattern": HOST_PATTERN, "examples": ["10.0.0.5:8080"]}
IP: Schema = {"type": "string", "pattern": rf"^(?!0\.0\.0\.0$){_OCTET}(\.{_OCTET}){{3}}$"}
_HOSTS: Schema = {"type": "array", "items": {"$ref": "#/components/schemas/HostAddress"}, "maxItems": MAX_HOSTS}


def _object(optional: tuple[str, ...] = (), **properties: Schema) -> Schema:
    needed = [name for name in properties if name not in optional]
    kind: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**kind, "required": needed} if needed else kind


def _list(of: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{of}"}}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


TEXT: Schema = {"type": "string"}

RECORD: Schema = {
    "weight": {
        "type": "integer",
        "minimum": 0,
        "maximum": MAX_WEIGHT,
        "description": "Share of calls relative to the module's other hosts.",
    },
    "zone": {"type": "string", "pattern": rf"^[a-z0-9.-]{{0,{MAX_ZONE}}}$"},
    "tags": {
        "type": "array",
        "items": {"type": "string", "pattern": rf"^[!-+\--~]{{1,{MAX_TAG}}}$"},
        "maxItems": MAX_TAGS,
    },
    "note": {"type": "string", "maxLength": MAX_NOTE, "pattern": "^[^\\x00-\\x1f\\x7f]*$"},
}
"""What a host has besides its address."""

AGENT: Schema = {
    "ip": TEXT,
    "seen_at": _TIME,
    "clock_skew": {"type": "integer", "description": "Seconds by which its clock is ahead."},
    "hostname": _or_null({**TEXT, "description": "null, as below: an older agent or a C++ one, which does not say."}),
    "version": _or_null(TEXT),
    "zone": _or_null(TEXT),
    "started_at": _or_null(_TIME),
    "dns": _or_null({**TEXT, "description": "The lars-dns that it is linked to."}),
    "reporter": _or_null({**TEXT, "description": "The lars-reporter that it is linked to."}),
    "settings": _or_null({"type": "array", "items": TEXT, "description": "Those that are not the defaults."}),
}
"""What is known of an agent."""

SCHEMAS: Schema = {
    "Problem": {
        "type": "object",
        "properties": {
            "type": TEXT,
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": {**TEXT, "description": "What is wrong, where, and what to do."},
            "lines": {"type": "array", "items": TEXT},
        },
        "required": ["type", "title", "status", "detail"],
    },
    "HostAddress": HOST,
    "Host": _object(
        host=HOST,
        ip=TEXT,
        port={"type": "integer", "minimum": 1, "maximum": 65535},
        ttl=_or_null({**COUNT, "description": "Seconds that it stays without renewal; null: for good."}),
        owner=_or_null(TEXT),
        **RECORD,
        drain=_or_null({"$ref": "#/components/schemas/Drain"}),
    ),
    "Drain": _object(
        until=_or_null({**_TIME, "description": "When it ends by itself; null: when somebody ends it."}),
        reason=TEXT,
        weight={"type": "integer", "description": "What its end restores."},
    ),
    "Module": _object(
        modid=ID,
        cmdid=ID,
        modid_name=TEXT,
        cmdid_name=TEXT,
        hosts=_list("Host"),
        settings={"$ref": "#/components/schemas/Settings"},
    ),
    "Settings": {**json_schema(), "description": "What a module sets; the rest has its default."},
    "ModuleLine": _object(modid=ID, cmdid=ID, modid_name=TEXT, cmdid_name=TEXT, hosts=COUNT),
    "Modules": _object(modules=_list("ModuleLine"), next=_or_null({**TEXT, "description": "The next page's cursor."})),
    "Change": _object(
        modid=ID,
        cmdid=ID,
        added=_HOSTS,
        removed=_HOSTS,
        altered={**_HOSTS, "description": "Hosts that stay, with another weight, zone, tags, note or drain."},
        settings={"type": "boolean", "description": "Whether the module's settings changed."},
    ),
    "Edited": _object(version=COUNT, changed=_list("Change")),
    "Registered": _object(version=COUNT),
    "Calls": _object(at=_TIME, host=TEXT, succ=COUNT, err=COUNT),
    "History": _object(span=TEXT, step=COUNT, calls=_list("Calls")),
    "Trouble": _object(
        modid=ID, cmdid=ID, hosts=COUNT, overloaded={**COUNT, "description": "Ejected hosts."}, succ=COUNT, err=COUNT
    ),
    "Overview": _object(
        at=_TIME,
        calls_per_second={"type": "number"},
        errors_per_second={"type": "number"},
        modules=COUNT,
        hosts=COUNT,
        overloaded_hosts={**COUNT, "description": "Hosts that a caller has ejected."},
        agents=COUNT,
        silent_agents=COUNT,
        standing_alarms={**COUNT, "description": "Active alarms."},
        trouble=_list("Trouble"),
    ),
    "AgentLine": _object(**AGENT),
    "Agents": _object(agents=_list("AgentLine")),
    "Agent": _object(**AGENT, routes=_list("HeldRoute"), hosts=_list("CallerView")),
    "HeldRoute": _object(
        modid=ID,
        cmdid=ID,
        version=_or_null({**COUNT, "description": "null: its lars-dns does not say."}),
        behind={"type": "boolean", "description": "Whether the route has changed since."},
    ),
    "CallerView": _object(
        modid=ID,
        cmdid=ID,
        host=TEXT,
        caller=TEXT,
        hostname={**TEXT, "description": "Of the caller; empty: it does not say."},
        state={"type": "string", "enum": [condition.word for condition in Condition]},
        reason=TEXT,
        since=_or_null({**_TIME, "description": "null: the caller does not say."}),
        succ=COUNT,
        err=COUNT,
        period=_or_null({**COUNT, "description": "Seconds of these calls; null: those of the last report."}),
        latency=_or_null({"type": "number", "description": "Seconds that its calls take."}),
        last_report=_TIME,
    ),
    "Callers": _object(callers=_list("CallerView")),
    "Waiting": _object(ip=TEXT, hostname=TEXT, modid=ID, cmdid=ID, version=COUNT),
    "Progress": _object(
        version=COUNT,
        modules={"type": "array", "items": _object(modid=COUNT, cmdid=COUNT)},
        agents={**COUNT, "description": "Agents that use a module which it changed, and say which version they have."},
        have={**COUNT, "description": "Those that have it, or something newer."},
        unknown={**COUNT, "description": "Agents whose lars-dns does not say which version it sends."},
        waiting={**_list("Waiting"), "description": "Agents that do not have it yet, 100 at most."},
    ),
    "Alarm": _object(
        id=COUNT,
        rule=TEXT,
        what=TEXT,
        modid=ID,
        cmdid=ID,
        host=_or_null(TEXT),
        caller=_or_null(TEXT),
        module={**TEXT, "description": "The module's name."},
        text={**TEXT, "description": "What was wrong when it was raised."},
        text_now={**TEXT, "description": "What is wrong now, or was last."},
        clear_reason=TEXT,
        raised_at=_TIME,
        cleared_at=_or_null({**_TIME, "description": "null: the alarm is active."}),
    ),
    "Alarms": _object(alarms=_list("Alarm")),
    "Edit": _object(
        id=COUNT,
        at=_TIME,
        actor=TEXT,
        what={"type": "string", "enum": ["hosts", "modid", "cmdid", "account", "agent"]},
        modid=ID,
        cmdid=ID,
        before=TEXT,
        after=TEXT,
        version=COUNT,
    ),
    "Audit": _object(edits=_list("Edit"), next=_or_null(COUNT)),
    "RouteChange": _object(id=COUNT, modid=COUNT, cmdid=COUNT, version=COUNT),
    "Versions": _object(version=COUNT, changes=_list("RouteChange"), next=_or_null(COUNT)),
    "Route": _object(modid=ID, cmdid=ID, ip=TEXT, port={"type": "integer", "minimum": 1, "maximum": 65535}, **RECORD),
    "Routes": _list("Route"),
    "NewRoute": {
        **_object(
            tuple(RECORD),
            modid=ID,
            cmdid=ID,
            ip=IP,
            port={"type": "integer", "minimum": 1, "maximum": 65535},
            **RECORD,
        ),
        "description": "modid and cmdid are not both 0.",
        "not": {"properties": {"modid": {"const": 0}, "cmdid": {"const": 0}}, "required": ["modid", "cmdid"]},
    },
    "NewHosts": _object(hosts=_HOSTS),
    "HostChange": {**_object(tuple(RECORD), **RECORD), "description": "What is absent stays. A weight ends a drain."},
    "NewDrain": {
        **_object(
            ("until", "seconds", "reason"),
            until={**_TIME, "description": "When lars-web ends it, within 366 days."},
            seconds={"type": "integer", "minimum": 1, "maximum": MAX_DRAIN, "description": "The same, from now."},
            reason=RECORD["note"],
        ),
        "description": "Without until and seconds it lasts until somebody ends it.",
        "not": {"required": ["until", "seconds"]},
    },
    "HostEdits": _object(("add", "remove"), add=_HOSTS, remove=_HOSTS),
    "Name": _object(
        name={
            "type": "string",
            "maxLength": MAX_NAME,
            "pattern": NAME_PATTERN,
            "examples": ["支付", "café", "shop"],
            "description": "Printable, without blanks around it; empty removes the name.",
        }
    ),
}
