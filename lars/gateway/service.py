"""lars-gateway as one Twisted service: HTTP over TCP and a Unix socket, DNS over UDP and TCP."""

from typing import Any

from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger

from lars.db.database import Database
from lars.db.names import NameStore
from lars.gateway.agent import Agent
from lars.gateway.dns.label_reader import LabelReader
from lars.gateway.dns.labels import Labels
from lars.gateway.dns.resolver import Resolver
from lars.gateway.dns.transports import MAX_QUERY, DnsConnections, DnsDatagrams
from lars.gateway.dns.zone import Zone
from lars.gateway.http.site import GatewaySite
from lars.gateway.metrics import GatewayMetrics
from lars.gateway.settings import GatewaySettings
from lars.metrics.endpoint import MetricsEndpoint
from lars.metrics.registry import new_registry
from lars.route import HostAddress, format_ip
from lars.runtime.listening import CannotListen, listen, stop_listening
from lars.runtime.periodic import Periodic
from lars.runtime.reactor import IReactor
from lars.runtime.service import AsyncService

_log = Logger()

LATE_INTERVAL = 1.0
"""Seconds between two looks for connections whose time is over."""


def tcp_endpoint(place: HostAddress) -> str:
    """The endpoint of DNS over TCP."""
    return f"tcp:{place.port}:interface={format_ip(place.ip)}"


def _port_of(port: IListeningPort) -> int:
    where: Any = port.getHost()
    return int(where.port)


class GatewayService(AsyncService):
    """Answers what the agent of this machine says, for programs that have no Lars client.

    Args:
        settings: the service's settings.
        database: has the names of modules, and is closed by this object; None for none.
        reactor: the reactor.
    """

    name = "lars-gateway"

    def __init__(self, settings: GatewaySettings, database: Database | None, reactor: IReactor) -> None:
        super().__init__(reactor)
        self._settings = settings
        self._database = database
        labels = Labels()
        self._label_reader = None if database is None else LabelReader(NameStore(database), labels, reactor)
        self._agent = Agent(settings.agent, settings.timeout, reactor)
        self._site = GatewaySite(reactor, self._agent, settings.max_connections)
        self._late = Periodic("closing late connections", LATE_INTERVAL, self._site.end_late, reactor)
        self._resolver = Resolver(self._agent, Zone(settings.domain, labels))
        self._datagrams = DnsDatagrams(self._resolver, reactor)
        self._connections = DnsConnections(self._resolver, reactor, settings.max_connections)
        registry = new_registry("lars-gateway")
        registry.register(GatewayMetrics(self._agent, self._site, self._resolver, self._connections))
        self._metrics = MetricsEndpoint(reactor, settings.metrics, registry, self._not_ready)
        self._ports: list[IListeningPort] = []

    async def start(self) -> None:
        settings = self._settings
        await self._metrics.start()
        self._agent.start()
        self._late.start()
        if self._label_reader is not None:
            self._label_reader.start()
        unix = f"unix:{quoteStringArgument(settings.unix)}:lockfile=1" if settings.unix else ""
        for place in filter(None, (settings.listen, unix)):
            self._ports.append(await listen(self.reactor, place, self._site, settings.max_connections))
            _log.info("lars-gateway answers on {place}", place=place)
        if settings.dns is not None:
            await self._serve_dns(settings.dns)

    async def _serve_dns(self, place: HostAddress) -> None:
        ip = format_ip(place.ip)
        try:
            port = self.reactor.listenUDP(place.port, self._datagrams, interface=ip, maxPacketSize=MAX_QUERY)
        except CannotListenError as error:
            reason = error.socketError.strerror or error.socketError
            raise CannotListen(
                f"cannot listen on {place} (UDP): {reason}; choose another place (--dns) or stop what is there"
            ) from None
        self._ports.append(port)
        tcp = tcp_endpoint(HostAddress(place.ip, _port_of(port)))
        self._ports.append(await listen(self.reactor, tcp, self._connections, self._settings.max_connections))
        _log.info("lars-gateway answers DNS on {place}: names below {name}", place=place, name=self._settings.domain)

    async def _end_labels(self) -> None:
        if self._database is not None and self._label_reader is not None:
            self._database.close()  # ends the read under way
            await self._label_reader.stop()

    def _not_ready(self) -> str:
        """Why nobody should ask here; empty when they can."""
        if not self._ports:
            return "not listening yet"
        return "" if self._agent.is_alive else f"the agent at {self._settings.agent} did not answer last time"

    async def stop(self) -> None:
        ports, self._ports = self._ports, []
        for port in ports:
            await stop_listening(port)
        await self._late.stop()
        await self._end_labels()
        self._resolver.close()
        await self._connections.drop_all()
        await self._site.drop_all()
        await self._agent.stop()
        await self._metrics.stop()
