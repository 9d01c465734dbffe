"""A whole Lars with a gateway and backends, for proxies that follow edits."""

from pathlib import Path
from typing import Any

from twisted.internet.threads import deferToThread

from bench.processes.http import get
from tests.integration.fleet import Fleet
from tests.integration.gateway.backends import Backends
from tests.integration.gateway.running_gateway import RunningGateway, StartService
from tests.integration.waiting import until


class Followed:
    """`proxied` asks a proxy, on a port of 127.0.0.1, which backend it has called."""

    def __init__(self, reactor: Any, start_service: StartService, database_url: str, folder: Path) -> None:
        self._reactor = reactor
        self.backends = Backends(reactor, 3)
        self.fleet = Fleet(reactor, start_service, database_url, folder)
        self.gateway = RunningGateway(reactor, start_service, folder, self.fleet.agent_port)

    async def up(self, hosts: int) -> None:
        """With so many of the backends in the route."""
        await self.fleet.up()
        await self.gateway.up()
        await self.add(*self.backends.hosts[:hosts])
        await self.fleet.serves(*self.backends.hosts[:hosts])

    async def add(self, *hosts: str) -> None:
        await deferToThread(self.fleet.commands.ok, "route", "add", "1", "1", *hosts)

    async def remove(self, *hosts: str) -> None:
        await deferToThread(self.fleet.commands.ok, "route", "rm", "1", "1", *hosts)

    async def proxied(self, port: int) -> str:
        """The backend that answered, or the status or error if none did."""
        try:
            status, text = await deferToThread(get, port, "/")
        except OSError as error:
            return str(error)
        return text if status == 200 else str(status)

    async def calls_go_to(self, port: int, *hosts: str, to_each: bool = True, deadline: float = 10.0) -> float:
        """Waits until a dozen calls in a row go to just these hosts, or some of them; the seconds that it took."""
        began = self._reactor.seconds()
        found: set[str] = set()

        async def settled() -> bool:
            nonlocal found
            found = {await self.proxied(port) for _ in range(12)}
            return found == set(hosts) if to_each else found <= set(hosts)

        await until(self._reactor, settled, lambda: f"calls to {hosts}, not {found}", deadline)
        return float(self._reactor.seconds() - began)

    async def close(self) -> None:
        self.gateway.close()
        self.fleet.close()
        await self.backends.close()
