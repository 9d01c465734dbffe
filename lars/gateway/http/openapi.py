"""The OpenAPI 3.1 document of the gateway."""

from functools import cache
from typing import Any

from lars import __version__
from lars.gateway.http.bodies import MAX_COST, MAX_REPORTS, MAX_RETCODE
from lars.route import MAX_ID, MAX_PORT

Schema = dict[str, Any]

_ID: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_ID}
_PORT: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_PORT}
_BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_ADDRESS: Schema = {
    "type": "string",
    "pattern": rf"^{_BYTE}(\.{_BYTE}){{3}}:([1-9][0-9]{{0,3}}|[1-5][0-9]{{4}})$",
    "example": "10.0.0.5:8080",
    "description": "IP:PORT; the port may be up to 65535.",
}
_NAME: Schema = {"type": "string", "pattern": r"^[1-9][0-9]{0,8}\.(0|[1-9][0-9]{0,8})$", "example": "1.1"}
_TEXT: Schema = {"type": "string"}


def _object(properties: Schema, *optional: str) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


_SCHEMAS: Schema = {
    "Host": _object({"host": _ADDRESS, "ip": _TEXT, "port": _PORT}),
    "Route": _object(
        {
            "modid": _ID,
            "cmdid": _ID,
            "hosts": {
                "type": "array",
                "items": _object(
                    {
                        "host": _ADDRESS,
                        "ip": _TEXT,
                        "port": _PORT,
                        "weight": {"type": "integer", "minimum": 0},
                        "state": {"enum": ["healthy", "ejected"]},
                    }
                ),
            },
        }
    ),
    "Report": {
        **_object(
            {
                "host": {**_ADDRESS, "description": "IP:PORT, as it was given."},
                "retcode": {
                    "type": "integer",
                    "minimum": -MAX_RETCODE,
                    "maximum": MAX_RETCODE,
                    "default": 0,
                    "description": "0: the call succeeded; any other number: it failed.",
                },
                "cost": {
                    "type": ["number", "null"],
                    "minimum": 0,
                    "maximum": MAX_COST,
                    "description": "Seconds that the call took.",
                },
            },
            "retcode",
            "cost",
        ),
        "additionalProperties": False,
    },
    "Reported": _object(
        {
            "reported": {"type": "integer", "minimum": 0},
            "not_in_route": {"type": "array", "items": _ADDRESS, "description": "Hosts that the agent counts apart."},
        }
    ),
    "TargetGroup": _object(
        {
            "targets": {"type": "array", "items": _ADDRESS},
            "labels": {"type": "object", "additionalProperties": _TEXT},
        }
    ),
    "Problem": _object(
        {
            "type": {
                "type": "string",
                "examples": [
                    "about:blank",
                    "urn:lars:problem:no-such-module",
                    "urn:lars:problem:overloaded",
                    "urn:lars:problem:agent-unavailable",
                ],
            },
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
        }
    ),
}

_REFUSALS = {
    "400": "The request cannot be used.",
    "404": "The module has no hosts, or there is no such module or path.",
    "405": "Another method is answered here.",
    "413": "The body is too large.",
    "415": "The body is not application/json.",
    "503": "The agent does not answer, or lets no call be made now; Retry-After says when to ask again.",
}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _operation(
    name: str, summary: str, answer: Schema, parameters: list[Schema] | None = None, body: Schema | None = None
) -> Schema:
    operation: Schema = {
        "operationId": name,
        "summary": summary,
        "responses": {
            "200": {"description": "Done.", "content": {"application/json": {"schema": answer}}},
            **{code: {"$ref": f"#/components/responses/{code}"} for code in _REFUSALS},
        },
    }
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _path(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": _ID}


_MODULE = [_path("modid"), _path("cmdid")]
_KEY: Schema = {
    "name": "key",
    "in": "query",
    "schema": _TEXT,
    "description": "What the call is about: calls with one key go to one host, if the module's policy knows keys.",
}
_NAMES: Schema = {
    "name": "module",
    "in": "query",
    "required": True,
    "schema": {"type": "array", "items": _NAME, "minItems": 1},
    "description": "MODID.CMDID, as often as needed.",
}
_REPORTS: Schema = {
    "oneOf": [_reference("Report"), {"type": "array", "items": _reference("Report"), "maxItems": MAX_REPORTS}]
}

_PATHS: Schema = {
    "/v1/modules/{modid}/{cmdid}/host": {
        "get": _operation("getHost", "The host to call now", _reference("Host"), [*_MODULE, _KEY])
    },
    "/v1/modules/{modid}/{cmdid}/hosts": {
        "get": _operation(
            "getRoute", "All hosts, with their states; none, if there are none", _reference("Route"), _MODULE
        )
    },
    "/v1/modules/{modid}/{cmdid}/reports": {
        "post": _operation("report", "How one or more calls went", _reference("Reported"), _MODULE, _REPORTS)
    },
    "/v1/prometheus/targets": {
        "get": _operation(
            "getTargets",
            "Prometheus' HTTP service discovery",
            {"type": "array", "items": _reference("TargetGroup")},
            [_NAMES],
        )
    },
    "/v3/discovery:endpoints": {
        "post": {
            **_operation(
                "discoverEndpoints",
                "Envoy's endpoint discovery over REST: a DiscoveryRequest and its DiscoveryResponse",
                {"type": "object"},
                None,
                {"type": "object"},
            ),
        }
    },
}


@cache
def document() -> Schema:
    """The whole of it."""
    problem = {"application/problem+json": {"schema": _reference("Problem")}}
    discover = _PATHS["/v3/discovery:endpoints"]["post"]["responses"]
    discover["304"] = {"description": "version_info is still that of the request."}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lars gateway",
            "version": __version__,
            "description": "Which host to call, and how calls went, for programs without a Lars client.",
        },
        "paths": _PATHS,
        "components": {
            "schemas": _SCHEMAS,
            "responses": {code: {"description": text, "content": problem} for code, text in _REFUSALS.items()},
        },
    }
