"""The timer that ends drains whose time is over (docs/design/web.md, drains)."""

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from lars.db.engine import DatabaseError
from lars.db.routes import RouteStore
from lars.runtime.log_limit import LogLimit
from lars.runtime.periodic import Periodic

_log = Logger()

TICK = 1.0
"""Seconds between two searches."""

ENDER = "drain"
"""The actor in the audit when a drain is over."""


class DrainTimer:
    """Ends drains that are over by the database's clock, as every lars-web on the database does.

    Drains are in the database: one that ended while no lars-web ran is found by the first search.
    """

    def __init__(self, store: RouteStore, reactor: IReactorTime) -> None:
        self._store = store
        self._limit = LogLimit(reactor.seconds)
        self._searches = Periodic("search for drains that are over", TICK, self._search, reactor)
        self.ended = 0
        """Hosts so far that got their weight back."""

    def start(self) -> None:
        """Starts the searches, the first one now."""
        self._searches.start(now=True)

    def stop(self) -> Deferred[None]:
        """Ends the searches; fires when none is under way, so the database must answer or be closed."""
        return self._searches.stop()

    async def _search(self) -> None:
        try:
            done = await self._store.end_drains(ENDER)
        except DatabaseError as error:
            if self._limit.admit("fault"):
                _log.warn("drains that are over cannot be ended: {error}; lars-web goes on trying", error=str(error))
            return
        for changed in done.changed:
            hosts = [str(host) for host, _before, _after in changed.altered]
            self.ended += len(hosts)
            _log.info(
                "the drain of {hosts} of module {module} is over: calls go there again",
                hosts=", ".join(hosts[:10]) + (f" and {len(hosts) - 10} more" if len(hosts) > 10 else ""),
                module=str(changed.module),
            )
