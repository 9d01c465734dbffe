"""Reads the names of modules from the database, now and then (docs/design/gateway.md, names)."""

from twisted.internet.interfaces import IReactorTime

from lars.db.engine import DatabaseError
from lars.db.faults import DatabaseFaults
from lars.db.names import NameStore
from lars.gateway.dns.labels import Labels, ids_by_label
from lars.runtime.periodic import Periodic

INTERVAL = 10.0
"""Seconds between two reads: a new name is known after as many at most."""


class LabelReader:
    """Keeps labels up to date; while the database is away, they stay as they are.

    Args:
        store: the names.
        labels: what is kept.
        clock: the reactor, or a Clock in tests.
    """

    def __init__(self, store: NameStore, labels: Labels, clock: IReactorTime) -> None:
        self._store = store
        self._labels = labels
        self._clock = clock
        self._faults = DatabaseFaults(clock, INTERVAL, lambda: "modules are found by the names that are known")
        self._periodic = Periodic("reading of names", INTERVAL, self.read, clock)

    def start(self) -> None:
        """Reads now, and every INTERVAL from then on."""
        self._periodic.start(now=True)

    async def read(self) -> None:
        """Reads all names."""
        try:
            names = await self._store.all()
        except DatabaseError as error:
            self._faults.failed(str(error), self._clock.seconds())
            return
        self._faults.worked()
        self._labels.modids = ids_by_label(names.modids)
        self._labels.cmdids = ids_by_label(names.cmdids)

    async def stop(self) -> None:
        """Reads no more; returns when the read under way has ended."""
        await self._periodic.stop()
