"""An agent that knows its routes from a file, and a gateway that asks it, as processes of their own."""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from bench.processes.agent_state import save_agent_routes
from bench.processes.http import get
from lars.route import HostAddress, ModuleId, parse_host
from tests.integration.processes import ReservedPort, TwistdService, free_udp_base

StartService = Callable[..., TwistdService]

A, B, C = "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:81"

ROUTES: Mapping[ModuleId, Sequence[str]] = {
    ModuleId(1, 1): [A, B, C],
    ModuleId(1, 2): [A],
    ModuleId(2, 2): [f"10.1.{n >> 8}.{n & 255}:{9_000 + n}" for n in range(300)],
}

NO_SERVER = "127.0.0.1:1"


def addresses(routes: Mapping[ModuleId, Sequence[str]]) -> dict[ModuleId, list[HostAddress]]:
    return {module: [parse_host(host) for host in hosts] for module, hosts in routes.items()}


class RunningGateway:
    """A gateway on ports of its own, which asks the agent at `agent_port`."""

    def __init__(self, reactor: Any, start_service: StartService, folder: Path, agent_port: int, *options: str) -> None:
        self.reactor = reactor
        self._ports = http, metrics = ReservedPort(), ReservedPort()
        self.port, self.metrics_port = http.number, metrics.number
        self.dns_port = free_udp_base(1)
        self.socket = str(folder / "gateway.sock")
        self.service = start_service(
            "lars-gateway",
            f"--agent=127.0.0.1:{agent_port}",
            f"--listen={http.endpoint}",
            f"--unix={self.socket}",
            f"--dns=127.0.0.1:{self.dns_port}",
            f"--metrics={metrics.endpoint}",
            *options,
        )

    async def up(self) -> None:
        await self.service.says("lars-gateway answers DNS on")

    def number(self, name: str, **labels: str) -> float:
        """One sample of /metrics."""
        families = list(text_string_to_metric_families(get(self.metrics_port, "/metrics")[1]))
        [sample] = [s for family in families for s in family.samples if s.name == name and s.labels == labels]
        return float(sample.value)

    def curl(self, path: str, *options: str) -> tuple[int, str, Any]:
        """Status, content type and body, as JSON where it is that, of what curl gets."""
        command = [
            "curl",
            "--silent",
            "--show-error",
            "--max-time",
            "10",
            "--write-out",
            "\n%{http_code} %{content_type}",
        ]
        done = subprocess.run(
            [*command, *options, f"http://127.0.0.1:{self.port}{path}"], capture_output=True, text=True, timeout=15
        )
        assert done.returncode == 0, done.stderr
        body, _, facts = done.stdout.rpartition("\n")
        status, _, content_type = facts.partition(" ")
        return int(status), content_type, json.loads(body) if "json" in content_type and body else body

    def post(self, path: str, body: object, *options: str) -> tuple[int, str, Any]:
        """What curl gets for JSON."""
        return self.curl(path, "--header", "Content-Type: application/json", "--data", json.dumps(body), *options)

    def dig(self, name: str, kind: str = "A", *options: str) -> str:
        """What dig prints."""
        command = ["dig", "@127.0.0.1", "-p", str(self.dns_port), "+time=5", "+tries=1", "+nocmd", name, kind, *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=15)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def answers(self, name: str, kind: str = "A", *options: str) -> list[list[str]]:
        """The records in the answer, each split into its fields."""
        return [line.split() for line in self.dig(name, kind, "+noall", "+answer", *options).splitlines()]

    def close(self) -> None:
        for port in self._ports:
            port.close()


class AgentAndGateway(RunningGateway):
    """With an agent of its own, without dns and reporter."""

    def __init__(
        self, reactor: Any, start_service: StartService, folder: Path, *options: str, workers: int = 1
    ) -> None:
        agent_port = free_udp_base(3)
        self.agent_address = f"127.0.0.1:{agent_port}"
        save_agent_routes(str(folder / "state"), addresses(ROUTES))
        self.agent = start_service(
            "lars-agent",
            f"--listen=127.0.0.1:{agent_port}",
            f"--state-dir={folder / 'state'}",
            f"--dns={NO_SERVER}",
            f"--reporter={NO_SERVER}",
            f"--workers={workers}",
        )
        super().__init__(reactor, start_service, folder, agent_port, *options)

    async def up(self) -> None:
        await self.agent.says("answers on")
        await super().up()
