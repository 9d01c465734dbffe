"""Deletes what is older than `history_days`: history, cleared alarms, and the other rows of silent callers.

See docs/design/reporter.md, pruning.
"""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from lars.db.engine import DatabaseError
from lars.db.report_pruning import AGED, FOUND_AT_ONCE, INDEXED, Aged, ReportPruning, lots
from lars.runtime.expiry_clock import ExpiryClock
from lars.runtime.periodic import Periodic

_log = Logger()

INTERVAL = 600.0
"""Seconds between the starts of two prunings."""

PAUSE = 0.05
"""Seconds between two transactions of one pruning, so that writers do not wait long."""


class ReportPruner:
    """Prunes periodically. `age` is in seconds; `wall_clock` returns Unix seconds."""

    def __init__(
        self, pruning: ReportPruning, age: float, clock: IReactorTime, wall_clock: Callable[[], float]
    ) -> None:
        self._pruning = pruning
        self._age = age
        self._clock = clock
        self._expiry_clock = ExpiryClock(wall_clock, clock.seconds)
        self._stopped = False
        self._prunings = Periodic("pruning of old reports", INTERVAL, self.prune, clock)
        self.pruned: dict[str, int] = dict.fromkeys([*INDEXED, *(aged.table for aged in AGED)], 0)
        """Rows deleted so far, by table."""

    def start(self) -> None:
        """Starts the prunings, the first one now."""
        self._prunings.start(now=True)

    async def prune(self) -> None:
        """Deletes all old rows, until the database fails or `stop` is called."""
        before = int(self._expiry_clock() - self._age)
        try:
            for aged in AGED:
                await self._prune_aged(aged, before)
            for table in INDEXED:
                await self._prune_indexed(table, before)
        except DatabaseError as error:
            if not self._stopped:
                _log.info("cannot delete old reports: {error}; trying again later", error=str(error))

    async def _prune_indexed(self, table: str, before: int) -> None:
        while not self._stopped and (deleted := await self._pruning.indexed(table, before)):
            self.pruned[table] += deleted
            await self._pause()

    async def _prune_aged(self, aged: Aged, before: int) -> None:
        found = FOUND_AT_ONCE
        while found == FOUND_AT_ONCE and not self._stopped:
            keys = await self._pruning.find(aged, before)
            found = len(keys)
            for some in lots(keys):
                await self._pruning.delete(aged, some, before)
                self.pruned[aged.table] += len(some)
                await self._pause()

    async def _pause(self) -> None:
        await deferLater(self._clock, PAUSE)

    async def stop(self) -> None:
        """Stops the prunings; returns when none is under way, so the database must answer or be closed."""
        self._stopped = True
        await self._prunings.stop()
