"""lars-dns as one Twisted service: it listens only once it has a table to answer from (design 6)."""

from typing import Any

from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger

from lars.db.database import Database
from lars.dns.protocol import RouteServerFactory
from lars.dns.settings import DnsSettings
from lars.dns.table import RouteTable
from lars.dns.watcher import RouteWatcher
from lars.listening import listen, stop_listening
from lars.service import AsyncService

_log = Logger()


class DnsService(AsyncService):
    """Loads, watches and serves routes."""

    name = "lars-dns"

    def __init__(self, settings: DnsSettings, database: Database, reactor: Any) -> None:
        super().__init__(reactor)
        self._settings = settings
        self._database = database
        table = RouteTable(int(settings.fresh_time * 1000))
        self.factory = RouteServerFactory(table, reactor, settings.max_connections)
        self._watcher = RouteWatcher(database, table, settings, reactor, self.factory.publish)
        self.port: IListeningPort | None = None

    async def start(self) -> None:
        await self._watcher.start()
        self.port = await listen(self.reactor, self._settings.listen, self.factory)
        _log.info("lars-dns answers on {place}", place=self._settings.listen)

    async def stop(self) -> None:
        await stop_listening(self.port)
        self.factory.drop_all()
        self._database.close()
        await self._watcher.stop()
