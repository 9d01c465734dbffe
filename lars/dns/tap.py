"""`twistd lars-dns`."""

from typing import cast

from twisted.application.service import IService

from lars.db.database import Database, engine_for
from lars.db.url import parse_url
from lars.dns.service import DnsService
from lars.dns.settings import DnsSettings
from lars.runtime.reactor import IReactor
from lars.settings import ServiceOptions


class Options(ServiceOptions):
    """Maps modules to routes, and tells agents of every change."""

    settings_type = DnsSettings


def makeService(options: Options) -> IService:
    """lars-dns on the reactor that twistd runs."""
    from twisted.internet import reactor

    settings: DnsSettings = options.settings
    database = Database(engine_for(parse_url(settings.db)), cast(IReactor, reactor))
    return DnsService(settings, database, reactor)
