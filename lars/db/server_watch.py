"""A thread that leaves a database server which hangs, vanishes, or takes no writes any more, while another is there."""

from collections.abc import Callable
from threading import Event, Thread

INTERVAL = 1.0
"""Seconds between two looks at the server that is used."""

LOOK_TIMEOUT = 1.5
"""Seconds within which a server that works answers a look. With INTERVAL, a hung one is left within 2.5 s."""


class ServerWatch:
    """Calls a function every INTERVAL seconds in a thread of its own, from `start` to `stop`."""

    def __init__(self, look: Callable[[], None]) -> None:
        self._look = look
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="database servers", daemon=True)

    def start(self) -> None:
        """Starts the thread; once."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after its current look, without waiting for it."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL):
            self._look()
