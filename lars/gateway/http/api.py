"""The HTTP API: from a request to an answer, now or once the agent has answered (docs/design/gateway.md, HTTP)."""

from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import parse_qs

from twisted.internet.defer import CancelledError, Deferred, FirstError, gatherResults
from twisted.logger import Logger

from lars.client.host import Host
from lars.errors import LarsError
from lars.gateway.agent import Agent
from lars.gateway.http.answer import Answer, json_answer, problem, refusal
from lars.gateway.http.bodies import MAX_RESOURCES, BadRequest, named_module, parsed_ids, read_discovery, read_reports
from lars.gateway.http.discovery import ENDPOINTS, discovery_response, prometheus_targets, state_of
from lars.gateway.http.openapi import document
from lars.gateway.route import Route
from lars.route import ModuleId, format_ip
from lars.runtime.log_limit import LogLimit

_log = Logger()

Later = Answer | Deferred[Answer]

_MODULES = "/v1/modules/"
_READ = ("GET", "HEAD")
_MAX_KEY = 2**64
_KEY_DIGITS = 20


class Api:
    """The answers of one gateway.

    Attributes:
        hosts: hosts given.
        reports: calls reported; `unrouted` of them to hosts that are not in the route.
    """

    def __init__(self, agent: Agent, log_limit: LogLimit) -> None:
        self._agent = agent
        self._log_limit = log_limit
        self.hosts = self.reports = self.unrouted = 0
        self._of_module: dict[str, tuple[tuple[str, ...], Callable[[ModuleId, str, bytes], Later]]] = {
            "host": (_READ, self._host),
            "hosts": (_READ, self._route),
            "reports": (("POST",), self._report),
        }
        self._others: dict[str, tuple[tuple[str, ...], Callable[[str, bytes], Later]]] = {
            "/v1/openapi.json": (_READ, self._describe),
            "/v1/prometheus/targets": (_READ, self._targets),
            "/v3/discovery:endpoints": (("POST",), self._discover),
        }

    def answer(self, method: str, path: str, query: str, body: bytes, content_type: str) -> Later:
        """The answer to a request; an answer to HEAD has the body of GET, for its length. Never fails."""
        try:
            answered = self._answer(method, path, query, body, content_type)
        except LarsError as error:
            return refusal(error)
        except Exception:
            return self._bug()
        return answered if isinstance(answered, Answer) else Deferred.fromCoroutine(self._later(answered))

    async def _later(self, waiting: Awaitable[Answer]) -> Answer:
        try:
            return await waiting
        except LarsError as error:
            return refusal(error)
        except CancelledError:  # the client is gone
            raise
        except Exception:
            return self._bug()

    def _bug(self) -> Answer:
        if times := self._log_limit.admit("bug"):
            _log.failure("a request cannot be answered ({times} such since the last line)", times=times)
        return problem(500, "this request cannot be answered: the log of lars-gateway says why")

    def _answer(self, method: str, path: str, query: str, body: bytes, content_type: str) -> Later:
        if path.startswith(_MODULES):
            parts = path[len(_MODULES) :].split("/")
            if len(parts) == 3 and parts[2] in self._of_module:
                allowed, endpoint = self._of_module[parts[2]]
                return _not_taken(method, allowed, content_type) or endpoint(
                    parsed_ids(parts[0], parts[1]), query, body
                )
        elif path in self._others:
            allowed, other = self._others[path]
            return _not_taken(method, allowed, content_type) or other(query, body)
        return problem(404, f"nothing is at {path[:200]}: /v1/openapi.json describes what is here")

    # -- a module

    def _host(self, module: ModuleId, query: str, _body: bytes) -> Later:
        picked = self._agent.pick(module, _key(query) if query else None)
        return self._given(picked) if isinstance(picked, Host) else picked.addCallback(self._given)

    def _given(self, host: Host) -> Answer:
        self.hosts += 1
        ip, port = format_ip(host.address.ip), host.address.port
        return Answer(200, f'{{"host":"{ip}:{port}","ip":"{ip}","port":{port}}}'.encode())

    def _route(self, module: ModuleId, _query: str, _body: bytes) -> Later:
        return _of(self._agent.route(module), self._hosts)

    def _hosts(self, route: Route) -> Answer:
        hosts = [
            {
                "host": str(host.address),
                "ip": format_ip(host.address.ip),
                "port": host.address.port,
                "weight": host.weight,
                "state": state_of(host),
            }
            for host in route.hosts
        ]
        return json_answer({"modid": route.module.modid, "cmdid": route.module.cmdid, "hosts": hosts})

    def _report(self, module: ModuleId, _query: str, body: bytes) -> Later:
        reports = read_reports(body)

        def take(route: Route) -> Answer:
            outside = [str(report.address) for report in reports if report.address not in route.addresses]
            for report in reports:
                self._agent.report(module, report.address, report.retcode, report.cost)
            self.reports += len(reports)
            self.unrouted += len(outside)
            return json_answer({"reported": len(reports), "not_in_route": outside})

        return _of(self._agent.route(module), take)

    # -- other formats

    def _describe(self, _query: str, _body: bytes) -> Answer:
        return json_answer(document())

    def _targets(self, query: str, _body: bytes) -> Later:
        names = parse_qs(query, keep_blank_values=True, max_num_fields=MAX_RESOURCES).get("module", [])
        if not names:
            raise BadRequest(
                "no module is named: ask for /v1/prometheus/targets?module=MODID.CMDID, as often as needed"
            )
        modules = list(dict.fromkeys(map(named_module, names)))

        async def targets() -> Answer:
            return json_answer(prometheus_targets(list((await self._routes(modules)).values())))

        return Deferred.fromCoroutine(targets())

    def _discover(self, _query: str, body: bytes) -> Later:
        request = read_discovery(body, ENDPOINTS)

        async def assignments() -> Answer:
            routes = await self._routes(request.modules.values())
            response = discovery_response({name: routes[module] for name, module in request.modules.items()})
            # With a short interval Envoy wants no response while nothing changes, and takes 304 for that.
            return json_answer(response) if response["version_info"] != request.version_info else Answer(304, b"")

        return Deferred.fromCoroutine(assignments())

    async def _routes(self, modules: Iterable[ModuleId]) -> dict[ModuleId, Route]:
        """Asks about all modules at once; raises AgentUnavailable if one of them is not answered."""
        asked = {module: self._agent.routes.get(module) for module in modules}
        try:
            found = await gatherResults(list(asked.values()), consumeErrors=True)
        except FirstError as error:
            error.subFailure.raiseException()
        return dict(zip(asked, found, strict=True))


def _of(route: Route | Deferred[Route], answer: Callable[[Route], Answer]) -> Later:
    return answer(route) if isinstance(route, Route) else route.addCallback(answer)


def _not_taken(method: str, allowed: tuple[str, ...], content_type: str) -> Answer | None:
    """Why a request is not taken by the endpoint that it names; None if it is."""
    if method not in allowed:
        names = ", ".join(allowed)
        return problem(405, f"{method[:20]} is not answered here: use {names}", headers={b"Allow": names.encode()})
    # Another type of JSON would let pages of any site send it from a browser, without asking first.
    if method == "POST" and content_type.partition(";")[0].strip().lower() != "application/json":
        return problem(415, "send JSON, with the header Content-Type: application/json")
    return None


def _key(query: str) -> int | str | None:
    """The key of ?key=: a decimal number is that number, anything else a text; raises BadRequest."""
    try:
        fields = parse_qs(query, keep_blank_values=True, max_num_fields=2)
    except ValueError:
        fields = {"more": []}
    keys = fields.pop("key", [])
    if fields or len(keys) > 1:
        raise BadRequest("the query cannot be used: it may have one key, as in ?key=17")
    if keys and keys[0].isascii() and keys[0].isdigit() and len(keys[0]) <= _KEY_DIGITS and int(keys[0]) < _MAX_KEY:
        return int(keys[0])
    return keys[0] if keys else None
