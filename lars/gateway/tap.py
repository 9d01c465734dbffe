"""`twistd lars-gateway`."""

from twisted.application.service import IService

from lars.db.database import Database, engine_for
from lars.db.url import parse_url
from lars.gateway.service import GatewayService, tcp_endpoint
from lars.gateway.settings import GatewaySettings
from lars.runtime.free_places import ended_by_errors, require_free
from lars.runtime.reactor import IReactor, monotonic_reactor
from lars.settings import ServiceOptions


class Options(ServiceOptions):
    """Answers which host to call by HTTP, DNS and Envoy's endpoint discovery."""

    settings_type = GatewaySettings


def require_gateway_free(reactor: IReactor, settings: GatewaySettings) -> None:
    """Raises CannotListen for a TCP place that is taken, or not of this machine."""
    dns = tcp_endpoint(settings.dns) if settings.dns is not None else ""
    require_free(reactor, settings.listen, dns, settings.metrics)


def makeService(options: Options) -> IService:
    """lars-gateway on the reactor that twistd runs."""
    reactor = monotonic_reactor()
    settings: GatewaySettings = options.settings
    with ended_by_errors("lars-gateway"):
        require_gateway_free(reactor, settings)
    database = Database(engine_for(parse_url(settings.db)), reactor, threads=1) if settings.db else None
    return GatewayService(settings, database, reactor)
