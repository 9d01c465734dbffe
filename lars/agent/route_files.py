"""Keeps the routes of the shards in files: loads them at start, saves those that have changed.

See docs/design/agent.md, saved routes.
"""

from collections.abc import Mapping

from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from lars.agent.directory import Directory
from lars.errors import LarsError
from lars.route import UNSTEERED
from lars.runtime.file_lock import FileLock
from lars.runtime.reactor import IReactor
from lars.saved_routes import (
    DamagedFile,
    SavedRoutes,
    encode_routes,
    load_routes,
    make_state_dir,
    remove_leftovers,
    routes_path,
    save_routes,
)

_log = Logger()


class TakenFolder(LarsError):
    """Another agent saves its routes in the same folder."""


class RouteFiles:
    """The files of saved routes of some shards, each with a lock, so that one agent alone writes it.

    Args:
        state_dir: the folder of the files; empty means that nothing is saved.
        directories: the shards' directories by number.
        reactor: gives the threads that write.
    """

    def __init__(self, state_dir: str, directories: Mapping[int, Directory], reactor: IReactor) -> None:
        self._state_dir = state_dir
        self._directories = directories
        self._reactor = reactor
        self._locks = {number: FileLock(routes_path(state_dir, number).with_suffix(".lock")) for number in directories}
        self._changed: set[int] = set()
        self._fault = ""

    def load(self, now: float) -> None:
        """Gives each directory its saved routes. A damaged file, or one that cannot be locked, is logged."""
        if not self._state_dir:
            return
        for number, directory in self._directories.items():
            self._try_lock(number)
            try:
                saved = load_routes(routes_path(self._state_dir, number))
            except DamagedFile as error:
                _log.warn("{error}", error=str(error))
                continue
            for key, hosts in saved.hosts.items():
                directory.restore(key, hosts, now, saved.steering.get(key, UNSTEERED))

    def changed(self, number: int) -> None:
        """Notes that a route of this shard differs from its file."""
        self._changed.add(number)

    async def save_changed(self) -> None:
        """Saves the shards that have changed, in a thread. A fault is logged on change, and tried again next time."""
        if not self._state_dir:
            return
        for number in sorted(self._changed):
            self._changed.discard(number)
            routes = self._routes(number)
            try:
                await deferToThreadPool(self._reactor, self._reactor.getThreadPool(), self._save, number, routes)
            except (OSError, TakenFolder) as error:
                self._changed.add(number)
                self._log_fault(error)
                return
            self._fault = ""

    def close(self) -> None:
        """Gives the files to the next agent."""
        for lock in self._locks.values():
            lock.release()

    def _routes(self, number: int) -> SavedRoutes:
        saved = SavedRoutes()
        for key, module in self._directories[number].modules.items():
            if module.hosts:
                saved.hosts[key] = list(module.hosts)
                steering = module.steering
                if steering is not UNSTEERED:
                    saved.steering[key] = steering
        return saved

    def _save(self, number: int, routes: SavedRoutes) -> None:
        self._lock(number)
        save_routes(routes_path(self._state_dir, number), encode_routes(routes.hosts, routes.steering))

    def _lock(self, number: int) -> None:
        make_state_dir(self._state_dir)
        if not self._locks[number].take():
            raise TakenFolder(f"another lars-agent saves its routes in {self._state_dir}")

    def _try_lock(self, number: int) -> None:
        try:
            self._lock(number)
            remove_leftovers(routes_path(self._state_dir, number))
        except (OSError, TakenFolder) as error:
            self._log_fault(error)

    def _log_fault(self, error: OSError | TakenFolder) -> None:
        if isinstance(error, TakenFolder):
            fault = f"{error}, so this one saves none; give each its own state_dir"
        else:
            reason = f"routes cannot be saved in {self._state_dir}: {error.strerror}"
            fault = f"{reason}; set state_dir to a directory that lars-agent may write"
        if fault != self._fault:
            _log.warn("{fault}", fault=fault)
        self._fault = fault
