"""Deletes old rows of RouteChange, by age alone: another instance may not have read them.

See docs/design/dns.md, pruning.
"""

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from lars.db.database import Database
from lars.db.engine import DatabaseError
from lars.db.route_reads import prune_changes_txn
from lars.runtime.expiry_clock import ExpiryClock

_log = Logger()

OBSERVED = 3600.0
"""Seconds since a row must have been seen, whatever its version says: legacy tools write any number there."""


class ChangePruner:
    """Prunes what is older than `age` seconds by its version, a Unix time, and was seen OBSERVED seconds ago.

    Args:
        database: where RouteChange is.
        age: seconds.
        change_id: gives the newest row that was seen.
        clock: the reactor, or a Clock in tests.
        wall_clock: gives Unix seconds.
    """

    def __init__(
        self,
        database: Database,
        age: float,
        change_id: Callable[[], int],
        clock: IReactorTime,
        wall_clock: Callable[[], float],
    ) -> None:
        self._database = database
        self._age = age
        self._change_id = change_id
        self._clock = clock
        self._expiry_clock = ExpiryClock(wall_clock, clock.seconds)
        self._seen: deque[tuple[float, int]] = deque()

    async def prune(self) -> None:
        """Notes the newest row and deletes what is old by now; called by timer, some minutes apart."""
        now = self._clock.seconds()
        self._seen.append((now, self._change_id()))
        up_to = 0
        while self._seen and now - self._seen[0][0] >= OBSERVED:
            up_to = self._seen.popleft()[1]
        if not up_to:
            return
        self._seen.appendleft((now - OBSERVED, up_to))
        before = int(self._expiry_clock() - self._age)
        try:
            while await self._database.write("prune RouteChange", prune_changes_txn, up_to, before):
                await deferLater(self._clock, 0.1)
        except DatabaseError as error:
            _log.info("RouteChange is not pruned now: {error}", error=str(error))
