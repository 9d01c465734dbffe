"""Watches the database for changed routes; what to push comes from comparing tables (design 6)."""

from collections.abc import Callable, Mapping

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from lars.db.database import Database
from lars.db.engine import DatabaseError, Transaction
from lars.db.routes import load_txn, version_txn
from lars.dns.settings import DnsSettings
from lars.dns.table import Refused, Routes, RouteTable, pack_routes
from lars.log_limit import LogLimit
from lars.route import ModuleId

_log = Logger()

MAX_BACKOFF = 15.0
"""Seconds between attempts at most while the database is away."""


class RouteWatcher:
    """Keeps a RouteTable equal to the database.

    Polls the version, reloads when it differs or when the last check of all routes is `reload_interval` old, and gives
    `publish` what changed. A read that fails changes nothing: the last table is served on.
    """

    def __init__(
        self,
        database: Database,
        table: RouteTable,
        settings: DnsSettings,
        clock: IReactorTime,
        publish: Callable[[Mapping[ModuleId, bool]], None],
    ) -> None:
        self._database = database
        self._table = table
        self._settings = settings
        self._clock = clock
        self._publish = publish
        self._limit = LogLimit(clock.seconds)
        self._version: int | None = None
        self._checked_at = 0.0
        self._failures = 0
        self._try_at = 0.0
        self._held_since: float | None = None
        self._fault = ""
        self._loaded: Deferred[None] = Deferred()
        self._loop = LoopingCall(lambda: Deferred.fromCoroutine(self.poll()))
        self._loop.clock = clock
        self._ended: Deferred[LoopingCall] | None = None

    def start(self) -> Deferred[None]:
        """Starts polling; fires when the first table is loaded."""
        self._ended = self._loop.start(self._settings.poll_interval)
        return self._loaded

    async def stop(self) -> None:
        """Stops polling; returns when the poll under way, if any, has ended."""
        if self._ended is not None and self._loop.running:
            self._loop.stop()
            await self._ended

    async def poll(self) -> None:
        """One look at the database; failures are logged on change, and tried again with backoff."""
        now = self._clock.seconds()
        if now < self._try_at:
            return
        try:
            await self._look(now)
        except DatabaseError as error:
            self._failures += 1
            self._try_at = now + min(MAX_BACKOFF, self._settings.poll_interval * 2 ** min(self._failures, 10) / 2)
            self._tell_fault(str(error))
        except Exception:
            _log.failure("looking for changed routes failed; trying again")
        else:
            self._failures = 0
            if self._fault:
                _log.info(
                    "the database answers again; routes are up to date with version {version}", version=self._version
                )
                self._limit.clear(self._fault)
                self._fault = ""

    def _tell_fault(self, text: str) -> None:
        serving = f"serving the last {len(self._table)} modules" if self._version is not None else "not serving yet"
        if text != self._fault:
            self._limit.clear(self._fault)
        self._fault = text
        if self._limit.tell(text):
            _log.warn("{fault}; {serving}, trying again", fault=text, serving=serving)

    async def _look(self, now: float) -> None:
        due = now - self._checked_at >= self._settings.reload_interval
        if self._version is not None and not due:
            version = await self._database.read("read the route version", version_txn)
            if version == self._version and self._held_since is None:
                return
        version, routes, refused = await self._database.read("load all routes", _load_packed_txn)
        if self._version is not None and self._must_hold(routes, now):
            return
        self._held_since = None
        self._take(version, routes, refused)
        self._checked_at = now

    def _must_hold(self, routes: Routes, now: float) -> bool:
        """Whether a reload empties so much that it is not believed yet."""
        vanished, all_of_them = self._table.vanished(routes), len(self._table)
        if vanished <= all_of_them * self._settings.protect_ratio:
            return False
        if self._held_since is None:
            self._held_since = now
            _log.warn(
                "{vanished} of {all} modules have no hosts in the database any more: held for {held:g} s and then "
                "checked again, since that is more than protect_ratio allows at once",
                vanished=vanished,
                all=all_of_them,
                held=self._settings.protect_time,
            )
        return now - self._held_since < self._settings.protect_time

    def _take(self, version: int, routes: Routes, refused: Refused) -> None:
        first = self._version is None
        changed = self._table.replace(routes)
        if refused.count and (first or version != self._version):
            _log.warn(
                "{count} rows of RouteData cannot be served: {examples}; `lars db check` lists them",
                count=refused.count,
                examples="; ".join(refused.examples),
            )
        if first or version != self._version or changed:
            _log.info(
                "routes of version {version}: {modules} modules, {hosts} hosts, {changed} modules changed",
                version=version,
                modules=len(self._table),
                hosts=self._table.hosts,
                changed=len(changed),
            )
        self._version = version
        self._publish(changed)
        if first:
            self._loaded.callback(None)


def _load_packed_txn(txn: Transaction) -> tuple[int, Routes, Refused]:
    version, rows = load_txn(txn)
    refused = Refused()
    return version, dict(pack_routes(rows, refused)), refused
