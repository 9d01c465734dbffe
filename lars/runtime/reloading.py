"""Reads files again when they change, and at once at SIGHUP."""

import signal
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from lars.runtime.periodic import Periodic
from lars.runtime.reactor import IReactor

INTERVAL = 2.0
"""Seconds between two looks at the files."""


class Reloading:
    """Calls functions, each of which looks at a file and reads it if it has changed.

    Args:
        reactor: the reactor.
        reloads: the functions; without any, nothing is started.
    """

    def __init__(self, reactor: IReactor, reloads: Sequence[Callable[[], None]]) -> None:
        self._reactor = reactor
        self._reloads = reloads
        self._periodic = Periodic("reading changed files", INTERVAL, self._reload, reactor)

    def start(self) -> None:
        """Starts to look; what SIGHUP did before it still does."""
        if not self._reloads:
            return
        self._periodic.start()
        before = signal.getsignal(signal.SIGHUP)

        def on_hangup(number: int, frame: Any) -> None:
            self._reactor.callFromThread(self._reload)
            if callable(before):
                before(number, frame)

        signal.signal(signal.SIGHUP, on_hangup)

    def stop(self) -> Deferred[None]:
        """Looks no more."""
        return self._periodic.stop()

    def _reload(self) -> None:
        for reload in self._reloads:
            reload()
