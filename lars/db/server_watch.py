"""A thread that leaves a database server which hangs, vanishes, or takes no writes any more, while another is there."""

from collections.abc import Callable
from threading import Event, Thread

INTERVAL = 1.0
"""Seconds between two looks at the server that is used."""

LOOK_TIMEOUT = 1.5
"""Seconds within which a server that works answers a look. With INTERVAL, a hung one is left within 2.5 s."""

THREAD_NAME = "database servers"


class ServerWatch:
    """Calls `look` every INTERVAL seconds in a thread of its own, from `start` to `stop`, and at last `end`."""

    def __init__(self, look: Callable[[], None], end: Callable[[], None], interval: float = INTERVAL) -> None:
        self._look = look
        self._end = end
        self._interval = interval
        self._stopped = Event()
        self._thread = Thread(target=self._run, name=THREAD_NAME, daemon=True)

    def start(self) -> None:
        """Starts the thread; once."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after its current look, without waiting for it."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            self._look()
        self._end()
