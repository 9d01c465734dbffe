"""The OpenAPI 3.1 document of /api/v1: its paths, with the schemas of lars.web.api.schemas."""

from functools import lru_cache

from lars import __version__
from lars.db.modules import SORTS
from lars.web.api.input import MAX_LIMIT, MAX_ROW, MAX_TTL, MIN_TTL
from lars.web.api.schemas import HOST, ID, IP, SCHEMAS, TEXT, Schema
from lars.web.spans import SPANS, WINDOW


def _path(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _answer(schema: str, description: str = "Done.", etag: bool = False) -> Schema:
    answer: Schema = {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }
    if etag:
        answer["headers"] = {"ETag": {"schema": TEXT, "description": "For If-Match and If-None-Match."}}
    return answer


_MODULE = [_path("modid", ID), _path("cmdid", ID)]
_IP = _path("ip", TEXT)
_AT_HOST = [*_MODULE, _path("host", HOST)]
_LIMIT = _query("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 100}, "How many at most.")
_BEFORE = _query("before", {"type": "integer", "minimum": 1, "maximum": MAX_ROW}, "Only rows older than this id.")
_FLAG: Schema = {"type": "string", "enum": ["true", "false"], "default": "false"}
_IF_MATCH: Schema = {
    "name": "If-Match",
    "in": "header",
    "schema": TEXT,
    "description": "Edit only if the module's ETag is one of these, so that no other edit is overwritten.",
}
_IF_NONE: Schema = {
    "name": "If-None-Match",
    "in": "header",
    "schema": TEXT,
    "description": "Answer 304 if the module's ETag is one of these.",
}

_REFUSALS = {
    "400": "The request cannot be used.",
    "401": "There is no token, or it is not valid.",
    "403": "The token may not do this: its role, or its modules, or those of its user.",
    "404": "There is nothing of this name.",
    "409": "A module would have more hosts than it can have.",
    "412": "If-Match does not hold.",
    "413": "The body is too large.",
    "415": "The body has a type that is not read.",
    "503": "The database does not answer; try again.",
}


def _operation(
    name: str, summary: str, answers: Schema, parameters: list[Schema] | None = None, body: Schema | None = None
) -> Schema:
    operation: Schema = {
        "operationId": name,
        "summary": summary,
        "responses": {**answers, **{code: {"$ref": f"#/components/responses/{code}"} for code in _REFUSALS}},
    }
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _json(schema: str) -> Schema:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


_DONE: Schema = {"204": {"description": "Done, or nothing had to change."}}
_EDITED: Schema = {"200": _answer("Edited", "What changed, which may be nothing.", etag=True)}

_SEARCH = [
    _query(
        "search",
        {"type": "string", "maxLength": 200},
        "A module (1 1), a modid or cmdid (7), a host (10.0.0.5 or 10.0.0.5:80), or a part of a name.",
    ),
    _query(
        "sort",
        {"type": "string", "enum": list(SORTS), "default": "module"},
        f"calls and errors: of the last {WINDOW} s.",
    ),
    _query("order", {"type": "string", "enum": ["asc", "desc"], "default": "asc"}, "The direction."),
    _LIMIT,
    _query(
        "cursor",
        {"type": "string", "pattern": r"^([0-9]{1,10}\.[0-9]{1,10}|o[0-9]{1,9})$"},
        "`next` of the previous page; with the same search, sort and order.",
    ),
]

_TTL = _query(
    "ttl",
    {"type": "integer", "minimum": MIN_TTL, "maximum": MAX_TTL},
    "Seconds after which the host leaves unless this is sent again; without it, the host stays for good.",
)

PATHS: Schema = {
    "/modules": {"get": _operation("listModules", "Find modules, by pages", {"200": _answer("Modules")}, _SEARCH)},
    "/modules/{modid}/{cmdid}": {
        "get": _operation(
            "getModule",
            "A module with its hosts; none, if it has none",
            {"200": _answer("Module", etag=True), "304": {"description": "It is as If-None-Match says."}},
            [*_MODULE, _IF_NONE],
        ),
        "delete": _operation("emptyModule", "Remove all hosts", _EDITED, [*_MODULE, _IF_MATCH]),
    },
    "/modules/{modid}/{cmdid}/hosts": {
        "put": _operation(
            "replaceHosts", "Give the module exactly these hosts", _EDITED, [*_MODULE, _IF_MATCH], _json("NewHosts")
        ),
        "post": _operation(
            "editHosts",
            "Remove hosts and add hosts; one that is in both lists stays",
            _EDITED,
            [*_MODULE, _IF_MATCH],
            _json("HostEdits"),
        ),
    },
    "/modules/{modid}/{cmdid}/hosts/{host}": {
        "get": _operation("getHost", "One host", {"200": _answer("Host")}, _AT_HOST),
        "put": _operation(
            "registerHost",
            "Register a host, or renew it; many at once share a version",
            {"201": _answer("Registered", "It is new."), **_DONE},
            [*_AT_HOST, _TTL],
        ),
        "delete": _operation("deregisterHost", "Remove one host", _DONE, _AT_HOST),
        "patch": _operation(
            "changeHost",
            "Change weight, zone, tags or note of a host",
            _EDITED,
            [*_AT_HOST, _IF_MATCH],
            _json("HostChange"),
        ),
    },
    "/modules/{modid}/{cmdid}/hosts/{host}/drain": {
        "put": _operation(
            "drainHost",
            "Drain a host: no new call while others have weight",
            _EDITED,
            [*_AT_HOST, _IF_MATCH],
            _json("NewDrain"),
        ),
        "delete": _operation("undrainHost", "Give a drained host its weight back", _EDITED, [*_AT_HOST, _IF_MATCH]),
    },
    "/modules/{modid}/{cmdid}/settings": {
        "get": _operation(
            "getSettings",
            "What a module sets; the rest has its default",
            {"200": _answer("Settings", etag=True), "304": {"description": "It is as If-None-Match says."}},
            [*_MODULE, _IF_NONE],
        ),
        "put": _operation(
            "setSettings", "Give a module exactly these settings", _EDITED, [*_MODULE, _IF_MATCH], _json("Settings")
        ),
    },
    "/machines/{ip}/drain": {
        "put": _operation(
            "drainMachine",
            "Drain the hosts of an address in all modules, in one edit",
            {"200": _answer("Edited", "What changed, which may be nothing.")},
            [_path("ip", IP)],
            _json("NewDrain"),
        ),
        "delete": _operation(
            "undrainMachine",
            "Give the drained hosts of an address their weights back, in all modules",
            {"200": _answer("Edited", "What changed, which may be nothing.")},
            [_path("ip", IP)],
        ),
    },
    "/modules/{modid}/{cmdid}/history": {
        "get": _operation(
            "getHistory",
            "Calls of each host over time",
            {"200": _answer("History")},
            [*_MODULE, _query("span", {"type": "string", "enum": list(SPANS), "default": "1h"}, "How far back.")],
        )
    },
    "/modules/{modid}/{cmdid}/callers": {
        "get": _operation(
            "listCallers",
            "How each caller sees each host, those that are not healthy first",
            {"200": _answer("Callers")},
            [*_MODULE, _LIMIT],
        )
    },
    "/modids/{modid}/name": {
        "put": _operation("nameModid", "Name a modid", _DONE, [_path("modid", ID)], _json("Name"))
    },
    "/cmdids/{cmdid}/name": {
        "put": _operation("nameCmdid", "Name a cmdid", _DONE, [_path("cmdid", ID)], _json("Name"))
    },
    "/overview": {"get": _operation("getOverview", "The fleet now", {"200": _answer("Overview")})},
    "/agents": {
        "get": _operation("listAgents", "Agents, the longest silent first", {"200": _answer("Agents")}, [_LIMIT])
    },
    "/agents/{ip}": {
        "get": _operation(
            "getAgent", "An agent, its routes, and the hosts it sees as not healthy", {"200": _answer("Agent")}, [_IP]
        ),
        "delete": _operation(
            "dismissAgent", "Forget an agent that is retired, and clear the alarms about it", _DONE, [_IP]
        ),
    },
    "/alarms": {
        "get": _operation(
            "listAlarms",
            "Alarms, active or cleared, the newest first",
            {"200": _answer("Alarms")},
            [_LIMIT, _query("cleared", _FLAG, "The cleared alarms, instead of the active ones.")],
        )
    },
    "/audit": {
        "get": _operation(
            "listEdits",
            "The audit: who edited what, the newest first",
            {"200": _answer("Audit")},
            [
                _LIMIT,
                _BEFORE,
                _query("modid", ID, "With cmdid: only edits of this module."),
                _query("cmdid", ID, "With modid: only edits of this module."),
            ],
        )
    },
    "/versions": {
        "get": _operation(
            "listVersions",
            "The route version, and what changed with the latest ones",
            {"200": _answer("Versions")},
            [_LIMIT, _BEFORE],
        )
    },
    "/versions/{version}": {
        "get": _operation(
            "getProgress",
            "How many agents have the change of a version, and which do not",
            {"200": _answer("Progress")},
            [_path("version", {"type": "integer", "minimum": 0, "maximum": 2**63 - 1})],
        )
    },
    "/routes": {
        "get": _operation(
            "exportRoutes",
            "All routes",
            {
                "200": {
                    "description": "Done.",
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Routes"}},
                        "text/csv": {"schema": TEXT},
                    },
                }
            },
            [_query("format", {"type": "string", "enum": ["json", "csv"], "default": "json"}, "The format.")],
        ),
        "post": _operation(
            "importRoutes",
            "Add many routes, all of them or none",
            {"200": _answer("Edited", "What changed or, with dry_run, would.")},
            [
                _query("replace", _FLAG, "Give the modules that are named exactly these hosts."),
                _query("dry_run", _FLAG, "Change nothing, and answer what would change."),
            ],
            {
                "text/csv": {
                    "schema": {
                        "type": "string",
                        "description": "The first line names the columns modid, cmdid, ip and port, in any order.",
                        "examples": ["modid,cmdid,ip,port\n1,1,10.0.0.1,80\n"],
                    }
                },
                "application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/NewRoute"}}},
            },
        ),
    },
}


@lru_cache(maxsize=16)
def document(prefix: str = "") -> Schema:
    """The whole of it; `prefix` is the path at which the console is found."""
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lars",
            "version": __version__,
            "description": "Routes and the fleet, for programs. Show a token as `Authorization: Bearer lars_…`.",
        },
        "servers": [{"url": f"{prefix}/api/v1"}],
        "security": [{"token": []}],
        "paths": PATHS,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": SCHEMAS,
            "responses": {code: {"description": text, "content": problem} for code, text in _REFUSALS.items()},
        },
    }
