"""The database's clock, by which all services on one database judge what is fresh (docs/design/database.md, clock)."""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from lars.db.database import Database
from lars.db.engine import DatabaseError
from lars.runtime.periodic import Periodic

_log = Logger()

READ_INTERVAL = 10.0
"""Seconds between two reads of the database's clock."""

MAX_SKEW = 5.0
"""Seconds: a clock that is further off is warned about."""


class DatabaseClock:
    """An estimate of the database's clock: the reactor's clock and an offset, which each read bounds.

    A read that is asked at `asked`, answered at `answered` and says `then` bounds the offset by then - answered and
    then - asked, so a slow answer moves it no further than it must. Before the first read this is the machine's clock.

    Args:
        database: the database, or None if `observe` is called by the owner alone.
        clock: the reactor, or a Clock in tests.
        wall_clock: returns Unix seconds on this machine.
    """

    def __init__(self, database: Database | None, clock: IReactorTime, wall_clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._wall_clock = wall_clock
        self._offset: float | None = None
        self._warned = False
        self._reads = Periodic("reading of the database's clock", READ_INTERVAL, self.read, clock)

    def now(self) -> float:
        """Unix seconds by the database's clock."""
        if self._offset is None:
            return self._wall_clock()
        return self._clock.seconds() + self._offset

    @property
    def skew(self) -> float:
        """Seconds by which this machine's clock is ahead of the database's; 0 before the first read."""
        return 0.0 if self._offset is None else self._wall_clock() - self.now()

    def observe(self, then: float, asked: float, answered: float) -> None:
        """Takes a read of the database's clock: its Unix seconds, and the reactor's seconds before and after."""
        least, most = then - answered, then - asked
        offset = (least + most) / 2 if self._offset is None else self._offset
        self._offset = min(max(offset, least), most)
        if abs(self.skew) < MAX_SKEW:
            self._warned = False
        elif not self._warned:
            self._warned = True
            _log.warn(
                "the clock of this machine is {seconds:.0f} s {way} of the database's, which is used: set it by NTP",
                seconds=abs(self.skew),
                way="ahead" if self.skew > 0 else "behind",
            )

    async def read(self) -> None:
        """Reads the database's clock; without a database to answer, the estimate stays as it is."""
        if self._database is None:
            return
        asked = self._clock.seconds()
        try:
            then = await self._database.read("read the clock", lambda txn: txn.now())
        except DatabaseError:
            return  # whoever needs the database says what is wrong with it
        self.observe(then, asked, self._clock.seconds())

    def start(self) -> None:
        """Starts the reads, the first one now."""
        self._reads.start(now=True)

    async def stop(self) -> None:
        """Ends the reads; returns when none is under way, so the database must answer or be closed."""
        await self._reads.stop()
