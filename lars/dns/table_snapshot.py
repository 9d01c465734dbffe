"""Keeps the saved table equal to the one that is served, in a thread, at most every few seconds."""

from pathlib import Path

from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from lars.dns.table import RouteTable
from lars.dns.table_file import DamagedTable, encode_table, load_table, remove_leftovers, save_table
from lars.runtime.periodic import Periodic
from lars.runtime.reactor import IReactor
from lars.wording import counted

_log = Logger()

INTERVAL = 5.0
"""Seconds between two writes at least."""


class TableSnapshot:
    """The saved table of one lars-dns.

    Args:
        path: the file; empty means that nothing is saved.
        table: what is saved.
        reactor: gives the time and the thread that writes.
    """

    def __init__(self, path: str, table: RouteTable, reactor: IReactor) -> None:
        self._path = Path(path) if path else None
        self._table = table
        self._reactor = reactor
        self._saved_changes = -1
        self._fault = ""
        self._periodic = Periodic("saving the route table", INTERVAL, self.save, reactor)

    def load(self) -> None:
        """Fills the table, which must be empty, from the file, if there is one that is whole."""
        if self._path is None:
            return
        remove_leftovers(self._path)
        try:
            saved = load_table(self._path)
        except DamagedTable as error:
            _log.warn("{error}", error=str(error))
            return
        if saved is not None:
            version, routes = saved
            for module, packed in routes.items():
                self._table.put(module, packed)
            self._table.version = version
            self._saved_changes = self._table.changes
            _log.info(
                "{modules} of version {version} from {path}",
                modules=counted(len(routes), "module"),
                version=version,
                path=self._path,
            )

    def start(self) -> None:
        """Starts saving what changes."""
        if self._path is not None:
            self._periodic.start(now=True)

    async def stop(self) -> None:
        """Saves what has changed since the last time, if it was started."""
        if self._periodic.running:
            await self._periodic.stop()
            await self.save()

    async def save(self) -> None:
        """Writes the file if the table has changed since the last time. A fault is logged on change."""
        changes = self._table.changes
        if self._path is None or changes == self._saved_changes:
            return
        routes = list(self._table.routes.items())
        content = encode_table(self._table.version, routes, len(routes))
        try:
            await deferToThreadPool(self._reactor, self._reactor.getThreadPool(), save_table, self._path, content)
        except Exception as error:
            reason = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
            fault = f"the table cannot be saved as {self._path}: {reason}"
            if fault != self._fault:
                _log.warn("{fault}; trying again every {interval:g} s", fault=fault, interval=INTERVAL)
                if not isinstance(error, OSError):
                    _log.failure("saving the route table failed")
            self._fault = fault
        else:
            self._saved_changes = changes
            self._fault = ""
