"""Keeps the routes of the shards in files: loads them at start, saves those that have changed.

See docs/design/agent.md, saved routes.
"""

from collections.abc import Mapping

from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from lars.agent.directory import Directory
from lars.runtime.reactor import IReactor
from lars.saved_routes import DamagedFile, SavedRoutes, encode_routes, load_routes, routes_path, save_routes

_log = Logger()


class RouteFiles:
    """The files of saved routes of some shards.

    Args:
        state_dir: the folder of the files; empty means that nothing is saved.
        directories: the shards' directories by number.
        reactor: gives the threads that write.
    """

    def __init__(self, state_dir: str, directories: Mapping[int, Directory], reactor: IReactor) -> None:
        self._state_dir = state_dir
        self._directories = directories
        self._reactor = reactor
        self._changed: set[int] = set()
        self._fault = ""

    def load(self, now: float) -> None:
        """Gives each directory its saved routes. A damaged file is logged and ignored."""
        if not self._state_dir:
            return
        for number, directory in self._directories.items():
            try:
                saved = load_routes(routes_path(self._state_dir, number))
            except DamagedFile as error:
                _log.warn("{error}", error=str(error))
                continue
            for key, hosts in saved.items():
                directory.restore(key, hosts, now)

    def changed(self, number: int) -> None:
        """Notes that a route of this shard differs from its file."""
        self._changed.add(number)

    async def save_changed(self) -> None:
        """Saves the shards that have changed, in a thread. A fault is logged on change, and tried again next time."""
        if not self._state_dir:
            return
        for number in sorted(self._changed):
            self._changed.discard(number)
            modules = self._directories[number].modules
            routes = {key: list(module.hosts) for key, module in modules.items() if module.hosts}
            try:
                await deferToThreadPool(self._reactor, self._reactor.getThreadPool(), self._save, number, routes)
            except OSError as error:
                self._changed.add(number)
                fault = f"routes cannot be saved in {self._state_dir}: {error.strerror}"
                if fault != self._fault:
                    _log.warn("{fault}; set state_dir to a directory that lars-agent may write", fault=fault)
                self._fault = fault
                return
            self._fault = ""

    def _save(self, number: int, routes: SavedRoutes) -> None:
        save_routes(routes_path(self._state_dir, number), encode_routes(routes))
