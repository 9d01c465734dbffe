"""`twistd lars-reporter`."""

from twisted.application.service import IService

from lars.db.database import Database, engine_for
from lars.db.url import parse_url
from lars.reporter.service import ReporterService
from lars.reporter.settings import ReporterSettings
from lars.runtime.free_places import ended_by_errors, require_free
from lars.runtime.reactor import monotonic_reactor
from lars.settings import ServiceOptions


class Options(ServiceOptions):
    """Collects call counts from agents into the database."""

    settings_type = ReporterSettings


def makeService(options: Options) -> IService:
    """lars-reporter on the reactor that twistd runs."""
    reactor = monotonic_reactor()
    settings: ReporterSettings = options.settings
    with ended_by_errors("lars-reporter"):
        require_free(reactor, settings.listen, settings.metrics)
        database = Database(engine_for(parse_url(settings.db)), reactor, threads=settings.threads)
        return ReporterService(settings, database, reactor)
