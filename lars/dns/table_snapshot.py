"""Keeps the saved table up to date with the table that is served, in a thread, at most every few seconds."""

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from lars.dns.table import RouteTable
from lars.dns.table_file import DamagedTable, encode_table, load_table, remove_leftovers, save_table

_log = Logger()

INTERVAL = 5.0
"""Seconds between two writes at least."""


class TableSnapshot:
    """The saved table of one lars-dns; an empty path means none."""

    def __init__(self, path: str, table: RouteTable, reactor: Any) -> None:
        self._path = Path(path) if path else None
        self._table = table
        self._reactor = reactor
        self._saved_changes = -1
        self._fault = ""
        self._loop = LoopingCall(lambda: Deferred.fromCoroutine(self.save()))
        self._loop.clock = reactor
        self._ended: Deferred[LoopingCall] | None = None

    def load(self) -> None:
        """Fills the table, which is empty, from the file, if there is one that can be used."""
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
                "{count} modules of version {version} from {path}", count=len(routes), version=version, path=self._path
            )

    def start(self) -> None:
        """Starts saving what changes."""
        if self._path is not None:
            self._ended = self._loop.start(INTERVAL)

    async def stop(self) -> None:
        """Saves what is not yet saved, for the last time."""
        if self._ended is not None:
            self._loop.stop()
            await self._ended
            await self.save()

    async def save(self) -> None:
        """Writes the file if the table has changed since; a fault is told on change, and tried again."""
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
                    _log.failure("saving the table met a bug")
            self._fault = fault
        else:
            self._saved_changes = changes
            self._fault = ""
