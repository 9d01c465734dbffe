"""All services as one: lars-dns, lars-reporter, an agent that is linked to them, the console and the gateway."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger

from lars.agent.service import AgentService
from lars.agent.settings import AgentSettings, Server
from lars.client.address import AgentAddress
from lars.db.database import Database
from lars.db.schema import init_txn
from lars.dns.service import DnsService
from lars.dns.settings import DnsSettings
from lars.errors import LarsError
from lars.gateway.service import GatewayService
from lars.gateway.settings import GatewaySettings
from lars.reporter.service import ReporterService
from lars.reporter.settings import ReporterSettings
from lars.route import HostAddress, format_ip
from lars.runtime.reactor import IReactor
from lars.runtime.service import AsyncService
from lars.web.service import WebService
from lars.web.settings import WebSettings
from lars.web.tap import DATABASE_THREADS

_log = Logger()

CORE = 2
"""lars-dns and lars-reporter, which the agent needs until its end."""


class StackService(AsyncService):
    """Starts the services in the order of the flow, and stops the agent before those it needs, the console meanwhile.

    Args:
        dns, reporter, agent, web, gateway: the settings of each service; where the agent finds the others is
            overridden. There is no gateway where it listens nowhere.
        database: makes a connection pool with a number of threads; each service has its own.
        reactor: the reactor of all of them.
    """

    name = "lars"

    def __init__(
        self,
        dns: DnsSettings,
        reporter: ReporterSettings,
        agent: AgentSettings,
        web: WebSettings,
        gateway: GatewaySettings,
        database: Callable[[int], Database],
        reactor: IReactor,
    ) -> None:
        super().__init__(reactor)
        self._dns = dns
        self._reporter = reporter
        self._agent = agent
        self._web = web
        self._gateway_settings = gateway
        self._gateway: GatewayService | None = None
        self._database = database
        self._started: list[AsyncService] = []

    async def start(self) -> None:
        await self._create_schema()
        dns = DnsService(self._dns, self._database(2), self.reactor)
        await self._start(dns)
        reporting = replace(self._reporter, console_url=self._reporter.console_url or self._web.url)
        reporter = ReporterService(reporting, self._database(reporting.threads), self.reactor)
        await self._start(reporter)
        settings = replace(self._agent, dns=(_server(dns.port),), reporter=(_server(reporter.port),))
        await self._start(AgentService(settings, self.reactor))
        await self._start(WebService(self._web, self._database(DATABASE_THREADS), self.reactor))
        if self._gateway_settings.listen:
            self._gateway = GatewayService(self._gateway_settings, self._database(1), self.reactor)
            await self._gateway.start()
        _log.info("Lars is up: `lars route add 1 1 IP:PORT` adds a host, `lars get-host 1 1` asks for one")

    async def _create_schema(self) -> None:
        database = self._database(1)
        try:
            done = await database.write_repeatable("create the schema", init_txn)
        finally:
            database.close()
        if done:
            _log.info("database made ready: {done}", done="; ".join(done))

    async def _start(self, service: AsyncService) -> None:
        self._started.append(service)
        await service.start()

    async def stop(self) -> None:
        if self._gateway is not None:
            await self._gateway.stop()  # before the agent, which takes its last reports
        core, agent, web = self._started[:CORE], self._started[CORE : CORE + 1], self._started[CORE + 1 :]
        web_ended = _all_stopped(web)  # needs the database alone
        await _all_stopped(agent)
        await _all_stopped(core)
        await web_ended


def _all_stopped(services: Sequence[AsyncService]) -> Deferred[Any]:
    return gatherResults([Deferred.fromCoroutine(service.stop()) for service in services], consumeErrors=True)


def agent_of(listen: HostAddress) -> AgentAddress:
    """Where an agent that listens there answers this machine."""
    return AgentAddress(format_ip(listen.ip) if listen.ip else "127.0.0.1", listen.port)


def _server(port: IListeningPort | None) -> Server:
    where: object = port.getHost() if port is not None else None
    if not isinstance(where, IPv4Address | IPv6Address):
        raise LarsError("in one process, lars-dns and lars-reporter listen on tcp endpoints")
    return Server({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(where.host, where.host), where.port)
