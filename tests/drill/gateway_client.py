"""A business process's side of lars-gateway, over HTTP, with the two calls of a client that callers need."""

import http.client
import json
import threading

from lars.client import AgentUnavailable, Host, NoSuchModule, Overloaded
from lars.errors import LarsError
from lars.route import ModuleId, parse_host

PORT = 7781


class GatewayAway(LarsError):
    """The gateway cannot be reached, or did not answer in time."""


_REFUSALS = {"agent-unavailable": AgentUnavailable, "no-such-module": NoSuchModule, "overloaded": Overloaded}
"""The clients' errors for the ends of the types of problems (docs/design/gateway.md, HTTP)."""


class GatewayClient:
    """Asks a gateway; each thread has a connection of its own, made anew after a failure."""

    def __init__(self, address: str, timeout: float) -> None:
        self._place = address, PORT, timeout
        self._local = threading.local()

    def get_host(self, modid: int, cmdid: int) -> Host:
        """The host to call now. Raises GatewayAway, or what the clients raise."""
        status, body = self._ask("GET", f"/v1/modules/{modid}/{cmdid}/host")
        if status != 200:
            refusal = _REFUSALS.get(body.get("type", "").rpartition(":")[2], LarsError)
            raise refusal(f"{status}: {body.get('detail')}")
        return Host(ModuleId(modid, cmdid), parse_host(body["host"]))

    def report(self, host: Host, retcode: int, cost: float) -> None:
        """Reports how a call went. Raises GatewayAway."""
        report = json.dumps({"host": str(host), "retcode": retcode, "cost": cost})
        self._ask("POST", f"/v1/modules/{host.module.modid}/{host.module.cmdid}/reports", report)

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, dict[str, str]]:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            address, port, timeout = self._place
            connection = self._local.connection = http.client.HTTPConnection(address, port, timeout=timeout)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self._local.connection = None
            raise GatewayAway(str(error)) from error

    def close(self) -> None:
        """Nothing is kept but connections of threads that have ended."""
