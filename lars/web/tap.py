"""`twistd lars-web`."""

from twisted.application.service import IService

from lars.db.database import Database, engine_for
from lars.db.url import parse_url
from lars.runtime.free_places import ended_by_errors, require_free
from lars.runtime.reactor import monotonic_reactor
from lars.settings import ServiceOptions
from lars.web.service import WebService
from lars.web.settings import WebSettings

DATABASE_THREADS = 8
"""Queries at once."""


class Options(ServiceOptions):
    """The console where operators edit routes and see the fleet, and its JSON API."""

    settings_type = WebSettings


def makeService(options: Options) -> IService:
    """lars-web on the reactor that twistd runs."""
    reactor = monotonic_reactor()
    settings: WebSettings = options.settings
    with ended_by_errors("lars-web"):
        require_free(reactor, settings.listen, settings.metrics)
    database = Database(engine_for(parse_url(settings.db)), reactor, DATABASE_THREADS)
    return WebService(settings, database, reactor)
