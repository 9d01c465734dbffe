"""`twistd lars-dns`."""

from twisted.application.service import IService

from lars.db.database import Database, engine_for
from lars.db.url import parse_url
from lars.dns.service import DnsService
from lars.dns.settings import DnsSettings
from lars.runtime.free_places import ended_by_errors, require_free
from lars.runtime.reactor import monotonic_reactor
from lars.settings import ServiceOptions


class Options(ServiceOptions):
    """Maps modules to routes, and pushes every change to the agents."""

    settings_type = DnsSettings


def makeService(options: Options) -> IService:
    """Makes lars-dns on the reactor that twistd runs."""
    reactor = monotonic_reactor()
    settings: DnsSettings = options.settings
    with ended_by_errors("lars-dns"):
        require_free(reactor, settings.listen, settings.metrics)
        return DnsService(settings, Database(engine_for(parse_url(settings.db)), reactor), reactor)
