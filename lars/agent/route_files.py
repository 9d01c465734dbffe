"""Keeps the shards' routes in their files: loads them at start, saves those that changed."""

from collections.abc import Mapping
from typing import Any

from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from lars.agent.shard import Shard
from lars.saved_routes import DamagedFile, SavedRoutes, encode_routes, load_routes, routes_path, save_routes

_log = Logger()


class RouteFiles:
    """The files of saved routes of some shards, by number; an empty directory name means that nothing is saved."""

    def __init__(self, state_dir: str, shards: Mapping[int, Shard], reactor: Any) -> None:
        self._state_dir = state_dir
        self._shards = shards
        self._reactor = reactor
        self._changed: set[int] = set()
        self._fault = ""

    def load(self, now: float) -> None:
        """Gives each shard its saved routes, to be asked for again as soon as dns is there."""
        if not self._state_dir:
            return
        for number, shard in self._shards.items():
            try:
                saved = load_routes(routes_path(self._state_dir, number))
            except DamagedFile as error:
                _log.warn("{error}", error=str(error))
                continue
            for key, hosts in saved.items():
                shard.restore(key, hosts, now)

    def changed(self, number: int) -> None:
        """A route of this shard is not as it was saved."""
        self._changed.add(number)

    async def save_changed(self) -> None:
        """Saves the shards that changed, in a thread; a fault is told on change, and tried again next time."""
        if not self._state_dir:
            return
        for number in sorted(self._changed):
            self._changed.discard(number)
            modules = self._shards[number].modules
            routes = {key: list(m.balancer.hosts) for key, m in modules.items() if m.balancer.hosts}
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
