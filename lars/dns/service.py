"""lars-dns as one Twisted service: it listens only once it has a table to answer from (docs/design/dns.md, start)."""

import time
from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger

from lars.db.clock import DatabaseClock
from lars.db.database import Database
from lars.dns.metrics import DnsMetrics, push_latency
from lars.dns.protocol import RouteServerFactory
from lars.dns.pruning import ChangePruner
from lars.dns.settings import DnsSettings
from lars.dns.subscriptions import SubscriptionLimits
from lars.dns.table import RouteTable
from lars.dns.table_snapshot import TableSnapshot
from lars.dns.watcher import RouteWatcher
from lars.metrics.certificates import CertificateMetrics
from lars.metrics.endpoint import MetricsEndpoint
from lars.metrics.registry import new_registry
from lars.route import ModuleId
from lars.runtime.admission import admission_to
from lars.runtime.gil_and_gc import freeze_loaded_objects, tune_gil_and_gc
from lars.runtime.listening import listen, stop_listening
from lars.runtime.periodic import Periodic
from lars.runtime.reactor import IReactor
from lars.runtime.reloading import Reloading
from lars.runtime.service import AsyncService
from lars.wire.factory import Limits

_log = Logger()

PRUNE_INTERVAL = 600.0
"""Seconds between two prunings of RouteChange."""

STALE_AFTER = 6
"""Reload intervals without a check of all routes after which this instance does not call itself ready."""


class DnsService(AsyncService):
    """Loads, watches, saves and serves routes.

    Args:
        settings: what the service is configured to do.
        database: where the routes are; closed when the service stops.
        reactor: the reactor, whose clock everything runs on but pruning.
        wall_clock: gives Unix seconds, for pruning.
    """

    name = "lars-dns"

    def __init__(
        self,
        settings: DnsSettings,
        database: Database,
        reactor: IReactor,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(reactor)
        self._settings = settings
        self._database = database
        self.table = RouteTable(int(settings.fresh_time * 1000))
        limits = Limits(
            settings.max_connections, settings.idle_timeout, settings.stall_timeout, settings.max_per_address
        )
        self._admission = admission_to(self.name, reactor, settings, wall_clock)
        subscriptions = SubscriptionLimits(settings.max_subscriptions, settings.max_total_subscriptions)
        self.factory = RouteServerFactory(self.table, reactor, limits, subscriptions, self._admission)
        self._watcher = RouteWatcher(database, self.table, settings, reactor, self._publish)
        self._snapshot = TableSnapshot(settings.save, self.table, reactor)
        pruner = ChangePruner(database, settings.change_age, lambda: self._watcher.change_id, reactor, wall_clock)
        self._pruning = Periodic("pruning RouteChange", PRUNE_INTERVAL, pruner.prune, reactor)
        self._clock = DatabaseClock(database, reactor, wall_clock)
        registry = new_registry("lars-dns")
        registry.register(DnsMetrics(self.factory, self._admission, self._watcher, reactor.seconds, self._clock))
        self._push_latency = push_latency(registry)
        registry.register(CertificateMetrics(self._admission.tls))
        self._metrics = MetricsEndpoint(reactor, settings.metrics, registry, self._not_ready)
        self._reloading = Reloading(reactor, self._admission.reloads)
        self.port: IListeningPort | None = None

    async def start(self) -> None:
        tune_gil_and_gc()
        await self._metrics.start()
        self._snapshot.load()
        await self._watcher.start()
        freeze_loaded_objects()
        guarded = self._admission.guarded(self.factory)
        self.port = await listen(self.reactor, self._settings.listen, guarded, self._settings.max_connections)
        _log.info("lars-dns answers on {place}", place=self._settings.listen)
        self._admission.listens(self.port)
        self._reloading.start()
        self._snapshot.start()
        self._clock.start()
        self._pruning.start(now=True)

    def _publish(self, changed: Iterable[tuple[ModuleId, bool]], noticed: float) -> None:
        if self.factory.publish(changed):
            self._push_latency.observe(self.reactor.seconds() - noticed)

    def _not_ready(self) -> str:
        """Why agents should use another instance; empty when this one is ready."""
        if self.port is None:
            return f"no routes are loaded yet: {self._watcher.fault or 'the database is being read'}"
        if expired := self._admission.fault():
            return expired
        checked_at = self._watcher.checked_at
        if checked_at is None:
            return f"serving saved routes: {self._watcher.fault or 'the database is being read'}"
        age = self.reactor.seconds() - checked_at
        if age > STALE_AFTER * self._settings.reload_interval:
            return f"routes were last checked {age:.0f} s ago: {self._watcher.fault or 'a check is under way'}"
        return ""

    async def stop(self) -> None:
        await stop_listening(self.port)
        await self._reloading.stop()
        pruning_ended = self._pruning.stop()
        await self.factory.close_connections()
        clock_ended = Deferred.fromCoroutine(self._clock.stop())
        watcher_ended = Deferred.fromCoroutine(self._watcher.stop())
        self._database.close()  # ends what the watcher still waits for
        await watcher_ended
        await clock_ended
        await pruning_ended
        await self._snapshot.stop()
        await self._metrics.stop()
