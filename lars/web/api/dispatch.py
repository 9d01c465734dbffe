"""/api/v1: what the console can do, for programs, which show a bearer token (RFC 6750)."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from klein import Klein
from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.web.server import Request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from lars.db.accounts import Token
from lars.db.engine import DatabaseAway
from lars.errors import BadInput, InvalidRoute, LarsError, NoSuchHost
from lars.web.api.audit import AuditResource
from lars.web.api.callers import CallerResource
from lars.web.api.endpoint import Call, Endpoint, Reply, Resource, endpoints
from lars.web.api.fleet import FleetResource
from lars.web.api.hosts import HostResource
from lars.web.api.machines import MachineResource
from lars.web.api.modules import ModuleResource
from lars.web.api.openapi import document
from lars.web.api.problems import MAX_LINES, Problem, bad, unknown
from lars.web.api.routes import RouteResource
from lars.web.api.settings import SettingsResource
from lars.web.auth.access import bearer, local_part, recognize
from lars.web.console import Console
from lars.web.rights import NotPermitted
from lars.web.roles import Role, role_of

_log = Logger()

RESOURCES: tuple[type[Resource], ...] = (
    ModuleResource,
    SettingsResource,
    HostResource,
    MachineResource,
    FleetResource,
    CallerResource,
    AuditResource,
    RouteResource,
)

Method = Callable[..., Awaitable[Reply]]


class Api:
    """The API of one lars-web (docs/design/web.md, requests); `app` has its routes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.app = Klein()
        self.app.route("/api/v1/openapi.json", methods=["GET"])(self._describe)
        handle: Any = self.app.handle_errors(HTTPException)
        handle(self._not_routed)
        for resource in RESOURCES:
            for endpoint, method in endpoints(resource(console)):
                self._route(endpoint, method)

    def _route(self, endpoint: Endpoint, method: Method) -> None:
        @self.app.route(endpoint.rule, methods=[endpoint.method], endpoint=f"{endpoint.method} {endpoint.rule}")
        async def handle(request: Request, **values: Any) -> bytes:
            return await self._answer(request, endpoint.role, lambda call: method(call, **values))

    async def _describe(self, request: Any) -> bytes:
        """The OpenAPI document, which needs no token."""
        return self._write(request, Reply(document(self._console.access.origin(request).prefix)))

    async def _not_routed(self, request: Request, failure: Any) -> bytes:
        error: HTTPException = failure.value
        allowed = {name: value for name, value in error.get_headers() if name.lower() == "allow"}
        if isinstance(error, RequestRedirect):
            allowed["Location"] = self._console.access.origin(request).prefix + local_part(error.new_url)
        problem = Problem(error.code or 500, error.name, "see /api/v1/openapi.json for what is here", allowed)
        return self._write_problem(request, problem)

    async def _answer(self, request: Request, role: Role, method: Callable[[Call], Awaitable[Reply]]) -> bytes:
        """The body for a request; its head is written to it."""
        try:
            call = Call(
                await self._token(request, role),
                self._console.wall_clock(),
                {_text(name): _text(values[-1]) for name, values in (request.args or {}).items()},
                lambda name: ",".join(_text(v) for v in request.requestHeaders.getRawHeaders(name.encode(), [])),
                request.content.read() if request.content else b"",
            )
            return self._write(request, await method(call))
        except Problem as problem:
            return self._write_problem(request, problem)
        except DatabaseAway as error:
            return self._write_problem(request, Problem(503, "Service Unavailable", str(error), {"Retry-After": "2"}))
        except NotPermitted as error:
            return self._write_problem(request, Problem(403, "Forbidden", str(error)))
        except NoSuchHost as error:
            return self._write_problem(request, unknown(str(error)))
        except InvalidRoute as error:
            return self._write_problem(request, bad(str(error)))
        except BadInput as error:
            return self._write_problem(request, bad(str(error), lines=error.problems[:MAX_LINES]))
        except LarsError as error:
            return self._write_problem(request, Problem(500, "Internal Server Error", str(error)))
        except CancelledError:
            raise
        except Exception:
            _log.failure("{path} of the API failed; its caller gets status 500", path=_text(request.path))
            return self._write_problem(request, Problem(500, "Internal Server Error", "a bug: see the log of lars-web"))

    async def _token(self, request: Request, role: Role) -> Token:
        secret = bearer(request)
        token = await self._console.tokens.of(secret) if secret is not None else None
        if token is None:
            detail = "show a token that is valid, as Authorization: Bearer lars_…; the page Account makes one"
            raise Problem(401, "Unauthorized", detail, {"WWW-Authenticate": "Bearer"})
        recognize(request)
        if not role_of(token.role).may_be(role):
            raise Problem(403, "Forbidden", f"the role of this token is {token.role}; {role} is needed")
        return token

    def _write(self, request: Request, reply: Reply) -> bytes:
        request.setResponseCode(reply.status)
        for name, value in reply.headers.items():
            request.setHeader(name.encode(), value.encode())
        if reply.status in (204, 304):
            request.responseHeaders.removeHeader(b"Content-Type")
            return b""
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode() + b"\n"
        request.setHeader(b"Content-Type", reply.content_type.encode())
        request.setHeader(b"Content-Length", b"%d" % len(body))
        return body

    def _write_problem(self, request: Request, problem: Problem) -> bytes:
        reply = Reply(problem.body, problem.status, problem.headers, "application/problem+json")
        return self._write(request, reply)


def _text(given: bytes) -> str:
    return given.decode("utf-8", "replace")
