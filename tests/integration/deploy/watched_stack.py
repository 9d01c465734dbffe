"""All five services in one process, each with its metrics on a port of its own, and a module that is called."""

from pathlib import Path
from typing import Any

from bench.processes.http import get
from tests.integration.conftest import StartService
from tests.integration.fleet import Commands
from tests.integration.processes import ReservedPort, TwistdService, free_udp_base
from tests.integration.waiting import until

SERVICES = ("dns", "reporter", "agent", "web", "gateway")


class WatchedStack:
    """`twistd lars` on an SQLite file; `ports` are those of the metrics, by service."""

    def __init__(self, reactor: Any, start_service: StartService, folder: Path) -> None:
        self._reactor = reactor
        self.ports = {name: ReservedPort() for name in SERVICES}
        self._listen = {name: ReservedPort() for name in ("dns", "reporter", "web", "gateway")}
        options = [f"--{name}-listen={port.endpoint}" for name, port in self._listen.items()]
        for name, port in self.ports.items():
            conf = folder / f"{name}.conf"
            conf.write_text(f"[{name}]\nmetrics = {port.endpoint}\n", encoding="utf-8")
            options.append(f"--{name}-config={conf}")
        agent = f"127.0.0.1:{free_udp_base(3)}"
        url = f"sqlite:///{folder}/lars.db"
        self.commands = Commands(url, agent, folder)
        self.stack: TwistdService = start_service(
            "lars", f"--db={url}", f"--agent-listen={agent}", "--gateway-dns=", *options
        )

    async def up(self) -> None:
        """Waits until all are up and a module has been called."""
        await self.stack.says("Lars is up")
        self.commands.ok("route", "add", "1", "1", "10.0.0.5:8080")
        self.commands.ok("report", "1", "1", "10.0.0.5:8080", "0")
        counted = 'lars_agent_module_calls_total{cmdid="1",modid="1",result="success"} 1.0'
        await until(self._reactor, lambda: counted in self.page("agent"), "the report to be counted")

    def page(self, service: str) -> str:
        """The metrics of a service as text."""
        return get(self.ports[service].number, "/metrics")[1]

    def close(self) -> None:
        for port in (*self.ports.values(), *self._listen.values()):
            port.close()
