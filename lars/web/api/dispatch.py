"""/api/v1: what the console can do, for programs, which show a bearer token (RFC 6750)."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from klein import Klein
from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.web.server import Request
from werkzeug.exceptions import HTTPException

from lars.db.accounts import Token
from lars.db.engine import DatabaseAway
from lars.db.leases import Registration
from lars.db.modules import EditConflict, Module
from lars.db.routes import EditDone, RouteEdit
from lars.errors import BadInput, InvalidRoute, LarsError
from lars.route import HostAddress, ModuleId, format_ip
from lars.route_file import as_csv, as_objects, is_route, read_routes
from lars.web.api import input as api_input
from lars.web.api.openapi import document
from lars.web.api.problems import Problem, bad, changed, unknown
from lars.web.console import Console
from lars.web.formats import iso
from lars.web.live.live import WINDOW
from lars.web.pages.charts import SPANS, start_of
from lars.web.roles import Role, role_of

_log = Logger()

JSON = "application/json"
MODULE = "/api/v1/modules/<int:modid>/<int:cmdid>"


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a program: `query` has the last of equal parameters, `headers` one text by lower-case name."""

    token: Token
    now: float
    query: Mapping[str, str]
    headers: Callable[[str], str]
    body: bytes

    @property
    def actor(self) -> str:
        """Who edits, for the audit."""
        return f"api:{self.token.user}/{self.token.name}"


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: a body that becomes JSON, or bytes of another type."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON


Handler = Callable[..., Awaitable[Reply]]


def endpoint(app: Klein, method: str, rule: str, role: Role = Role.VIEWER) -> Callable[[Handler], Handler]:
    """Routes a method of the API, called with a Call and the rule's values."""

    def decorate(function: Handler) -> Handler:
        @app.route(rule, methods=[method])
        @wraps(function)
        async def handle(self: "Api", request: Request, **values: Any) -> bytes:
            return await self.answer(request, role, lambda call: function(self, call, **values))

        return function

    return decorate


async def _not_routed(api: "Api", request: Request, failure: Any) -> bytes:
    error: HTTPException = failure.value
    allowed = {name: value for name, value in error.get_headers() if name.lower() in ("allow", "location")}
    problem = Problem(error.code or 500, error.name, "see /api/v1/openapi.json for what is here", allowed)
    return api.write_problem(request, problem)


class Api:
    """The API of one lars-web."""

    app = Klein()
    app.handle_errors(HTTPException)(_not_routed)  # type: ignore[arg-type]  # Klein's type knows no async methods

    def __init__(self, console: Console) -> None:
        self.console = console
        self._stores = console.stores

    async def answer(self, request: Request, role: Role, handler: Callable[[Call], Awaitable[Reply]]) -> bytes:
        """The body for a request; its head is written to it."""
        try:
            call = Call(
                await self._token(request, role),
                self.console.wall_clock(),
                {_text(name): _text(values[-1]) for name, values in (request.args or {}).items()},
                lambda name: ",".join(_text(v) for v in request.requestHeaders.getRawHeaders(name.encode(), [])),
                request.content.read() if request.content else b"",
            )
            return self._write(request, await handler(call))
        except Problem as problem:
            return self.write_problem(request, problem)
        except DatabaseAway as error:
            return self.write_problem(request, Problem(503, "Service Unavailable", str(error), {"Retry-After": "2"}))
        except (InvalidRoute, BadInput) as error:
            return self.write_problem(request, bad(str(error)))
        except LarsError as error:
            return self.write_problem(request, Problem(500, "Internal Server Error", str(error)))
        except CancelledError:
            raise
        except Exception:
            _log.failure("{path} met a bug", path=_text(request.path))
            return self.write_problem(request, Problem(500, "Internal Server Error", "a bug: see the log of lars-web"))

    async def _token(self, request: Request, role: Role) -> Token:
        given = _text((request.requestHeaders.getRawHeaders(b"Authorization") or [b""])[0])
        scheme, _, secret = given.partition(" ")
        token = await self.console.tokens.of(secret.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            detail = "show a token, as Authorization: Bearer lars_…; an editor makes one on the page Account"
            raise Problem(401, "Unauthorized", detail, {"WWW-Authenticate": "Bearer"})
        if not role_of(token.role).may_be(role):
            raise Problem(403, "Forbidden", f"this token is of a {token.role}; {role} is needed")
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

    def write_problem(self, request: Request, problem: Problem) -> bytes:
        """The body of a refusal; its head is written."""
        reply = Reply(problem.body, problem.status, problem.headers, "application/problem+json")
        return self._write(request, reply)

    @app.route("/api/v1/openapi.json", methods=["GET"])
    async def openapi(self, request: Any) -> bytes:
        """The description of all of this, for everybody."""
        return self._write(request, Reply(document()))

    @endpoint(app, "GET", "/api/v1/modules")
    async def modules(self, call: Call) -> Reply:
        search = api_input.search_of(call.query)
        found = await self._stores.modules.find(search, (int(call.now) - WINDOW) // 60 * 60)
        following = api_input.cursor_after(search, found[-1].id) if len(found) == search.limit else None
        modules = [
            {**m.id._asdict(), "modid_name": m.modid_name, "cmdid_name": m.cmdid_name, "hosts": m.hosts} for m in found
        ]
        return Reply({"modules": modules, "next": following})

    @endpoint(app, "GET", MODULE)
    async def module(self, call: Call, modid: int, cmdid: int) -> Reply:
        module = await self._stores.modules.module(api_input.module_of(modid, cmdid))
        headers = {"ETag": f'"{module.etag}"'}
        wanted = api_input.etags(call.headers("If-None-Match"))
        if wanted is not None and (module.etag in wanted or ("*" in wanted and module.hosts)):
            return Reply(status=304, headers=headers)
        return Reply(_module(module), headers=headers)

    @endpoint(app, "PUT", f"{MODULE}/hosts", Role.EDITOR)
    async def replace(self, call: Call, modid: int, cmdid: int) -> Reply:
        module = api_input.module_of(modid, cmdid)
        body = api_input.json_object(call.body, call.headers("Content-Type"), {"hosts": True})
        edit = RouteEdit(module, add=api_input.hosts_of(body["hosts"], "hosts"), replace=True)
        return await self._edit(call, edit)

    @endpoint(app, "POST", f"{MODULE}/hosts", Role.EDITOR)
    async def edit(self, call: Call, modid: int, cmdid: int) -> Reply:
        module = api_input.module_of(modid, cmdid)
        body = api_input.json_object(call.body, call.headers("Content-Type"), {"add": False, "remove": False})
        add = api_input.hosts_of(body.get("add", []), "add")
        remove = api_input.hosts_of(body.get("remove", []), "remove")
        return await self._edit(call, RouteEdit(module, add, remove))

    @endpoint(app, "DELETE", MODULE, Role.EDITOR)
    async def empty(self, call: Call, modid: int, cmdid: int) -> Reply:
        return await self._edit(call, RouteEdit(api_input.module_of(modid, cmdid), replace=True))

    async def _edit(self, call: Call, edit: RouteEdit) -> Reply:
        etags = api_input.etags(call.headers("If-Match"))
        try:
            done = await self._stores.modules.edit(call.actor, call.now, edit, None, etags)
        except EditConflict:
            raise changed((await self._stores.modules.module(edit.module)).etag) from None
        module = await self._stores.modules.module(edit.module)
        return Reply(_edited(done), headers={"ETag": f'"{module.etag}"'})

    @endpoint(app, "GET", f"{MODULE}/hosts/<host>")
    async def host(self, call: Call, modid: int, cmdid: int, host: str) -> Reply:
        address = _path_host(host)
        module = await self._stores.modules.module(api_input.module_of(modid, cmdid))
        if address not in module.hosts:
            raise unknown(f"{address} is no host of module {module.id}")
        return Reply(_host(module, address))

    @endpoint(app, "PUT", f"{MODULE}/hosts/<host>", Role.EDITOR)
    async def register(self, call: Call, modid: int, cmdid: int, host: str) -> Reply:
        place = (api_input.module_of(modid, cmdid), _path_host(host))
        ttl = api_input.number(call.query, "ttl", 0, api_input.MIN_TTL, api_input.MAX_TTL)
        outcome = await self.console.registrar.put(place, Registration(ttl, call.actor))
        if outcome.refused:
            raise Problem(409, "Conflict", f"module {place[0]} has as many hosts as a module can have")
        if outcome.new:
            return Reply({"version": outcome.version}, 201)
        return Reply(status=204)

    @endpoint(app, "DELETE", f"{MODULE}/hosts/<host>", Role.EDITOR)
    async def deregister(self, call: Call, modid: int, cmdid: int, host: str) -> Reply:
        await self.console.registrar.take((api_input.module_of(modid, cmdid), _path_host(host)), call.actor)
        return Reply(status=204)

    @endpoint(app, "PUT", "/api/v1/modids/<int:number>/name", Role.EDITOR)
    async def name_modid(self, call: Call, number: int) -> Reply:
        return await self._rename(call, "modid", number)

    @endpoint(app, "PUT", "/api/v1/cmdids/<int:number>/name", Role.EDITOR)
    async def name_cmdid(self, call: Call, number: int) -> Reply:
        return await self._rename(call, "cmdid", number)

    async def _rename(self, call: Call, what: str, number: int) -> Reply:
        if number > 2**31 - 1:
            raise unknown(f"there is no {what} {number}")
        body = api_input.json_object(call.body, call.headers("Content-Type"), {"name": True})
        name = api_input.name_of(body["name"])
        await self._stores.modules.rename(call.actor, call.now, what, number, name, None)
        return Reply(status=204)

    @endpoint(app, "GET", f"{MODULE}/history")
    async def history(self, call: Call, modid: int, cmdid: int) -> Reply:
        module = api_input.module_of(modid, cmdid)
        span = api_input.choice(call.query, "span", tuple(SPANS))
        step = SPANS[span][1]
        buckets = await self._stores.calls.history(module, start_of(call.now, span), step)
        calls = [
            {"at": iso(b.at), "host": str(b.host), "succ": b.succ, "err": b.err}
            for b in sorted(buckets, key=lambda b: (b.at, b.host))
        ]
        return Reply({"span": span, "step": step, "calls": calls})

    @endpoint(app, "GET", "/api/v1/overview")
    async def overview(self, _call: Call) -> Reply:
        now = await self.console.live.overview()
        trouble = [
            {**t.module._asdict(), "hosts": t.hosts, "overloaded": t.overloaded, "succ": t.succ, "err": t.err}
            for t in now.fleet.trouble
        ]
        return Reply(
            {
                "at": iso(now.at),
                "calls_per_second": round(now.calls, 3),
                "errors_per_second": round(now.errors, 3),
                "modules": now.modules,
                "hosts": now.hosts,
                "overloaded_hosts": now.fleet.overloaded,
                "agents": now.fleet.agents_count,
                "silent_agents": now.fleet.agents_silent,
                "standing_alarms": now.fleet.alarms_count,
                "trouble": trouble,
            }
        )

    @endpoint(app, "GET", "/api/v1/agents")
    async def agents(self, call: Call) -> Reply:
        agents = await self._stores.calls.agents(_limit(call))
        return Reply({"agents": [{"ip": format_ip(a.ip), "seen_at": iso(a.seen_at)} for a in agents]})

    @endpoint(app, "GET", "/api/v1/alarms")
    async def alarms(self, call: Call) -> Reply:
        standing = not api_input.flag(call.query, "cleared")
        alarms = [
            {
                "id": a.id,
                "rule": a.rule,
                "what": a.what,
                "modid": a.modid,
                "cmdid": a.cmdid,
                "host": str(HostAddress(a.ip, a.port)) if a.ip else None,
                "caller": format_ip(a.caller) if a.caller else None,
                "text": a.text,
                "raised_at": iso(a.raised_at),
                "cleared_at": iso(a.cleared_at) if a.cleared_at else None,
            }
            for a in await self._stores.calls.alarms(standing, _limit(call))
        ]
        return Reply({"alarms": alarms})

    @endpoint(app, "GET", "/api/v1/audit")
    async def audit(self, call: Call) -> Reply:
        module = None
        if "modid" in call.query or "cmdid" in call.query:
            ids = (api_input.number(call.query, name, 0, 0, 2**31 - 1) for name in ("modid", "cmdid"))
            module = ModuleId(*ids)
        limit = _limit(call)
        rows = await self._stores.audit.edits(module, _before(call), limit)
        edits = [
            {
                "id": row.id,
                "at": iso(row.at),
                "actor": row.actor,
                "what": row.edit.what,
                "modid": row.edit.modid,
                "cmdid": row.edit.cmdid,
                "before": row.edit.before,
                "after": row.edit.after,
                "version": row.edit.version,
            }
            for row in rows
        ]
        return Reply({"edits": edits, "next": rows[-1].id if len(rows) == limit else None})

    @endpoint(app, "GET", "/api/v1/versions")
    async def versions(self, call: Call) -> Reply:
        limit = _limit(call)
        version, rows = await self._stores.audit.changes(_before(call), limit)
        changes = [{"id": r.id, "modid": r.modid, "cmdid": r.cmdid, "version": r.version} for r in rows]
        return Reply({"version": version, "changes": changes, "next": rows[-1].id if len(rows) == limit else None})

    @endpoint(app, "GET", "/api/v1/routes")
    async def export(self, call: Call) -> Reply:
        form = api_input.choice(call.query, "format", ("json", "csv"))
        rows = [row for row in await self._stores.routes.routes() if is_route(row)]
        if form == "csv":
            return Reply((as_csv(rows) + "\n").encode(), content_type="text/csv; charset=utf-8")
        return Reply(as_objects(rows))

    @endpoint(app, "POST", "/api/v1/routes", Role.EDITOR)
    async def import_(self, call: Call) -> Reply:
        kind = call.headers("Content-Type").partition(";")[0].strip().lower()
        if kind not in (JSON, "text/csv"):
            raise Problem(
                415, "Unsupported Media Type", "send CSV or JSON, with Content-Type: text/csv or application/json"
            )
        replace, rehearse = api_input.flag(call.query, "replace"), api_input.flag(call.query, "dry_run")
        try:
            routes = read_routes("body.json" if kind == JSON else "body.csv", call.body)
        except BadInput as error:
            raise bad(
                "some lines of the body cannot be used; nothing was changed", lines=error.problems[:100]
            ) from None
        edits = [RouteEdit(module, add=hosts, replace=replace) for module, hosts in sorted(routes.items())]
        store = self._stores.routes
        done = await (store.rehearse if rehearse else store.edit)(call.actor, call.now, edits)
        return Reply(_edited(done))


def _text(given: bytes) -> str:
    return given.decode("utf-8", "replace")


def _limit(call: Call) -> int:
    return api_input.number(call.query, "limit", 100, 1, api_input.MAX_LIMIT)


def _before(call: Call) -> int | None:
    return api_input.number(call.query, "before", api_input.MAX_ROW, 1, api_input.MAX_ROW)


def _path_host(text: str) -> HostAddress:
    try:
        return api_input.host_of(text, "the host in the path")
    except Problem as problem:
        raise unknown(str(problem)) from None


def _host(module: Module, host: HostAddress) -> dict[str, object]:
    lease = module.leases.get(host)
    return {
        "host": str(host),
        "ip": format_ip(host.ip),
        "port": host.port,
        "ttl": lease.ttl if lease else None,
        "owner": lease.owner if lease else None,
    }


def _module(module: Module) -> dict[str, object]:
    return {
        **module.id._asdict(),
        "modid_name": module.modid_name,
        "cmdid_name": module.cmdid_name,
        "hosts": [_host(module, host) for host in module.hosts],
    }


def _edited(done: EditDone) -> dict[str, object]:
    changes = [
        {**c.module._asdict(), "added": list(map(str, c.added)), "removed": list(map(str, c.removed))}
        for c in done.changed
    ]
    return {"version": done.version, "changed": changes}
