"""Asks an agent for routes, over and over, and notes when it first knew of each host, and whether a route was empty."""

import logging
import threading
import time
from collections.abc import Sequence

from lars.client import LarsClient
from lars.errors import LarsError
from tests.drill.fleet import Module
from tests.drill.services import Agent

logging.getLogger("lars.client").setLevel(logging.ERROR)  # that agents are away is no news in a drill

PAUSE = 0.25
"""Seconds between two looks at all routes."""


class Watch:
    """The routes of some modules as an agent knows them.

    Attributes:
        added, removed: when each host of a module was first seen there, and first seen missing, in monotonic seconds.
        empty: when a module that had had hosts had none, and which.
    """

    def __init__(self, agent: Agent, modules: Sequence[Module]) -> None:
        self.agent = agent
        self._modules = modules
        self._routes: dict[Module, set[str]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.added: dict[tuple[Module, str], float] = {}
        self.removed: dict[tuple[Module, str], float] = {}
        self.empty: list[tuple[float, Module]] = []

    def start(self) -> None:
        """Begins to ask."""
        self._thread.start()

    def end(self) -> None:
        """Asks no more."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def route(self, module: Module) -> set[str]:
        """The hosts of a module when the agent last answered."""
        return self._routes.get(module, set())

    def _run(self) -> None:
        with self.agent.zone.entered():
            client = LarsClient(self.agent.place, timeout=1.0, cache=False, state_dir="", first_wait=0)
            while not self._ended.wait(PAUSE):
                for module in self._modules:
                    self._look(client, module)
            client.close()

    def _look(self, client: LarsClient, module: Module) -> None:
        try:
            route = {str(host) for host in client.get_route(*module)}
        except LarsError:
            return  # it does not answer
        before, now = self.route(module), time.monotonic()
        for host in route - before:
            self.added.setdefault((module, host), now)
        for host in before - route:
            self.removed.setdefault((module, host), now)
        if before and not route:
            self.empty.append((now, module))
        self._routes[module] = route
