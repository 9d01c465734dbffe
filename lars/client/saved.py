"""The agent's files of saved routes, read by a client while the agent is down (docs/design/client.md, saved routes)."""

import os
import threading
from random import randrange

from lars.balancing.rotation import Rotation
from lars.client.host import Host
from lars.errors import InvalidRoute
from lars.route import ModuleId, parse_host
from lars.saved_routes import DamagedFile, index_routes, routes_path

RECHECK = 1.0
"""Seconds between two checks whether a file was replaced."""


class SavedFile:
    """One shard's file: read when first needed, and again when it was replaced. Threads may share it."""

    def __init__(self, state_dir: str, shard: int) -> None:
        self._shard = shard
        self._path = routes_path(state_dir, shard)
        self._checked_at: float | None = None
        self._stamp: tuple[int, int, int] | None = None
        self._index: dict[tuple[int, int], list[str]] = {}
        self._routes: dict[ModuleId, list[Host]] = {}
        self._turns: dict[ModuleId, Rotation[Host]] = {}
        self._lock = threading.Lock()

    def move(self, state_dir: str) -> None:
        """Looks for the file in another folder from now on."""
        path = routes_path(state_dir, self._shard)
        with self._lock:
            if path != self._path:
                self._path, self._checked_at = path, None

    def route(self, module: ModuleId, now: float) -> list[Host]:
        """The module's hosts; none if the file cannot be read or does not have the module."""
        with self._lock:
            self._refresh(now)
            if module not in self._routes:
                self._routes[module] = self._parsed(module)
            return self._routes[module]

    def pick(self, module: ModuleId, now: float) -> Host | None:
        """The module's next host, or None if `route` has none."""
        hosts = self.route(module, now)
        if not hosts:
            return None
        if module not in self._turns:
            self._turns[module] = Rotation(hosts, start=randrange(len(hosts)))
        return self._turns[module].next()

    def forked(self) -> None:
        """In the child of a fork: replaces the lock, which another thread of the parent may have held."""
        self._lock = threading.Lock()
        self._turns.clear()

    def _parsed(self, module: ModuleId) -> list[Host]:
        try:
            return [Host(module, parse_host(text)) for text in self._index.get(module, ())]
        except (InvalidRoute, AttributeError):
            return []

    def _refresh(self, now: float) -> None:
        if self._checked_at is not None and now - self._checked_at < RECHECK:
            return
        self._checked_at = now
        try:
            status = os.stat(self._path)
            stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
            if stamp == self._stamp:
                return
            self._index = index_routes(self._path.read_bytes())
            self._stamp = stamp
        except (OSError, DamagedFile):
            self._index, self._stamp = {}, None
        self._routes.clear()
        self._turns.clear()
