"""Watches the database for changed routes; what to push comes from comparing tables.

See docs/design/dns.md, watching the database.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from lars.db.database import Database
from lars.db.engine import DatabaseError
from lars.db.faults import DatabaseFaults
from lars.db.route_reads import BUCKETS, UNKNOWN, Digests, Look, bucket_of, look_txn
from lars.dns.full_check import FullCheck, full_check_txn
from lars.dns.settings import DnsSettings
from lars.dns.table import Refused, RouteTable, pack_routes
from lars.route import ModuleId
from lars.runtime.log_limit import LogLimit
from lars.runtime.periodic import Periodic
from lars.wording import counted

_log = Logger()

SLICE = 100
"""Modules compared, and pushed if they changed, in one turn of the reactor."""

SAVED_PATIENCE = 3.0
"""Seconds that a start waits for the database when there are saved routes to serve: a database may hang, not fail."""

Publish = Callable[[Iterable[tuple[ModuleId, bool]], float], None]
"""Called with the modules that changed, each with whether it lost a host, and when that was noticed, in reactor
seconds."""


def breathe() -> None:
    """Gives the interpreter to the reactor's thread while a pool thread parses rows."""
    time.sleep(0.0005)


class RouteWatcher:
    """Keeps a RouteTable equal to the database.

    A *look* reads the version and, if it differs, the modules that RouteChange names: a change is pushed at the cost
    of what it names. A *check* follows each change and each `reload_interval`; it finds by digests what RouteChange
    did not name. A read that fails changes nothing: the last table is still served.
    """

    def __init__(
        self, database: Database, table: RouteTable, settings: DnsSettings, clock: IReactorTime, publish: Publish
    ) -> None:
        self._database = database
        self._table = table
        self._settings = settings
        self._clock = clock
        self._publish = publish
        self._version: int | None = None
        self._change_id = 0
        self._digests: Digests = dict.fromkeys(range(BUCKETS), UNKNOWN)  # what the table is equal to
        self._looked_at: set[ModuleId] | None = None  # what looks have changed while a check is under way
        self._checking: Deferred[None] | None = None  # the newest check
        self._checks_read = 0
        self._check_again = False
        self._stopping = False
        self._refused_limit = LogLimit(clock.seconds)
        self._held_since: float | None = None
        self._tried: Deferred[None] = Deferred()
        self._loaded: Deferred[None] = Deferred()
        self._polling = Periodic("polling the route version", settings.poll_interval, self.poll, clock)
        self.look_faults = DatabaseFaults(clock, settings.poll_interval, self._serving)
        self.check_faults = DatabaseFaults(clock, settings.poll_interval, self._serving)
        self.checked_at: float | None = None
        """When all routes were last found or made equal to the database, in reactor seconds."""
        self.poll_seconds = 0.0
        """How long the last look took."""

    @property
    def version(self) -> int | None:
        """The route version that is served, or None before the first."""
        return self._version

    @property
    def change_id(self) -> int:
        """The newest RouteChange row that was seen."""
        return self._change_id

    async def start(self) -> None:
        """Starts polling; returns when there is a table to serve.

        That is the database's table, or the saved one if the first attempt to read fails or takes SAVED_PATIENCE.
        """
        self._polling.start(now=True)
        if len(self._table):
            self._tried.addTimeout(SAVED_PATIENCE, self._clock, lambda _cancelled, _timeout: None)
        await self._tried
        if not len(self._table):
            await self._loaded

    async def stop(self) -> None:
        """Stops polling; returns when what is under way has ended. Its faults are not logged any more."""
        self._stopping = True
        await self._polling.stop()
        await self.checked()

    async def checked(self) -> None:
        """Returns when the check under way, if any, has ended."""
        if self._checking is not None:
            await self._checking

    @property
    def _is_checking(self) -> bool:
        return self._checking is not None and not self._checking.called

    @property
    def fault(self) -> str:
        """What is wrong with the database now; empty when nothing is."""
        return self.look_faults.text or self.check_faults.text

    def _serving(self) -> str:
        if self._version is None and not len(self._table):
            return "not serving yet"
        return f"serving the last {counted(len(self._table), 'module')}"

    async def poll(self) -> None:
        """Looks at the database once, and starts a check if it is time for one. Failures are logged and tried again."""
        now = self._clock.seconds()
        if self._version is not None and self.look_faults.may_try(now):
            await self._guarded("look for changed routes", self._look(self._version), self.look_faults)
        if not self._is_checking and self._check_is_due(now):
            self._checking = Deferred.fromCoroutine(self._check())
            if self._version is None:
                await self._checking

    def _check_is_due(self, now: float) -> bool:
        if self.look_faults.text or not self.check_faults.may_try(now):
            return False
        if self._held_since is not None:
            return now - self._held_since >= self._settings.protect_time
        due = self.checked_at is None or now - self.checked_at >= self._settings.reload_interval
        return due or self._check_again

    async def _guarded(self, name: str, work: Awaitable[None], faults: DatabaseFaults) -> bool:
        try:
            await work
        except DatabaseError as error:
            if not self._stopping:
                faults.failed(str(error), self._clock.seconds())
        except Exception as error:
            text = f"{name} failed with a bug, {type(error).__name__}: {error}"
            if faults.failed(text, self._clock.seconds()):
                _log.failure("{name} failed with a bug", name=name)
        else:
            faults.worked()
            return True
        return False

    async def _look(self, version: int) -> None:
        while True:
            before, checks_read = self._clock.seconds(), self._checks_read
            look = await self._database.read("look for changed routes", look_txn, version, self._change_id)
            self.poll_seconds = self._clock.seconds() - before
            if checks_read == self._checks_read:
                break  # otherwise a check may have read what is newer than this
        if look is not None:
            self._take_look(look)

    def _take_look(self, look: Look) -> None:
        noticed = self._clock.seconds()
        routes = dict(pack_routes(look.rows, look.settings, Refused()))
        emptied = sum(module in self._table.routes and module not in routes for module in look.modules)
        self._check_again = True
        self._version, self._change_id = look.version, look.change_id
        self._table.version = look.version
        if self._too_many(emptied):
            return  # the check finds the same, and holds it
        changed = self._put((module, routes.get(module, b"")) for module in look.modules)
        if self._looked_at is not None:
            self._looked_at |= look.modules
        else:
            self._forget_digests(look.modules)
        if changed:
            _log.info(
                "version {version}: {modules} changed", version=look.version, modules=counted(len(changed), "module")
            )
        self._publish(changed, noticed)

    def _put(self, routes: Iterable[tuple[ModuleId, bytes]]) -> list[tuple[ModuleId, bool]]:
        changed = []
        for module, packed in routes:
            lost_a_host = self._table.put(module, packed)
            if lost_a_host is not None:
                changed.append((module, lost_a_host))
        return changed

    def _forget_digests(self, modules: Iterable[ModuleId]) -> None:
        """Has the next check read these modules, which were not read together with the digests."""
        self._digests.update((bucket_of(module), UNKNOWN) for module in modules)

    async def _check(self) -> None:
        self._check_again = False
        self._looked_at = set()
        try:
            if not await self._guarded("check all routes", self._reload(self._looked_at), self.check_faults):
                self._check_again = True
        finally:
            self._forget_digests(self._looked_at)  # also if the check failed: the table is not what was digested
            self._looked_at = None
            if not self._tried.called:
                self._tried.callback(None)

    async def _reload(self, looked_at: set[ModuleId]) -> None:
        first = self._version is None
        pause = _no_pause if first and not len(self._table) else breathe
        found = await self._database.read("check all routes", full_check_txn, self._digests, pause)
        self._checks_read += 1
        noticed = self._clock.seconds()
        gone = [m async for some in self._slices(list(self._table.routes)) for m in some if _gone(m, found)]
        if self._must_hold(len(set(gone) - looked_at), noticed):
            return
        self._held_since = None
        count = 0
        async for some in self._slices([*found.routes.items(), *((module, b"") for module in gone)]):
            changed = self._put((module, packed) for module, packed in some if module not in looked_at)
            self._publish(changed, noticed)
            count += len(changed)
        self._taken(found, count, first)
        self.checked_at = noticed

    def _taken(self, found: FullCheck, count: int, first: bool) -> None:
        self._digests = found.digests
        examples = "; ".join(found.refused.examples)
        if examples and self._refused_limit.admit(examples):
            _log.warn(
                "{rows} of RouteData cannot be served: {examples}; `lars db check` lists them",
                rows=counted(found.refused.count, "row"),
                examples=examples,
            )
        if first:
            self._version, self._change_id = found.version, found.change_id
            self._table.version = found.version
        if first or count:
            _log.info(
                "routes of version {version}: {modules}, {hosts}; a check found {changed}",
                version=found.version,
                modules=counted(len(self._table), "module"),
                hosts=counted(self._table.hosts, "host"),
                changed=counted(count, "changed module"),
            )
        if not self._loaded.called:
            self._loaded.callback(None)

    async def _slices(self, items: list[Any]) -> Any:
        """The items, SLICE in each turn of the reactor."""
        iterator: Iterator[Any] = iter(items)
        while some := list(islice(iterator, SLICE)):
            yield some
            await deferLater(self._clock, 0)

    def _too_many(self, emptied: int) -> bool:
        """Whether more modules lose all hosts at once than protect_ratio allows; a single one always may."""
        return emptied > 1 and emptied > len(self._table) * self._settings.protect_ratio

    def _must_hold(self, emptied: int, now: float) -> bool:
        if not self._too_many(emptied):
            return False
        if self._held_since is None:
            self._held_since = now
            _log.warn(
                "{emptied} of {all} modules have no hosts in the database any more, more than protect_ratio allows "
                "at once: they are still served, and checked again in {held:g} s",
                emptied=emptied,
                all=len(self._table),
                held=self._settings.protect_time,
            )
        return now - self._held_since < self._settings.protect_time


def _gone(module: ModuleId, found: FullCheck) -> bool:
    """Whether a module that is served is in the part that was read, and has no hosts there."""
    return module not in found.routes and (found.buckets is None or bucket_of(module) in found.buckets)


def _no_pause() -> None:
    """Does nothing: while nothing is served, no agent waits for the reactor."""
