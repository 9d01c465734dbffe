"""Threads that hold up no end of their process, whatever they wait for: getaddrinfo(3) cannot be interrupted."""

from functools import partial
from threading import Thread

from twisted.python.threadpool import ThreadPool

WAIT = 1.0
"""Seconds for threads to end their work when their pool is stopped."""


class DaemonThreadPool(ThreadPool):
    """A pool whose `stop` waits for at most WAIT seconds; threads that work on end with the process."""

    threadFactory = staticmethod(partial(Thread, daemon=True))  # type: ignore[assignment]  # Twisted has a class there

    def stop(self) -> None:
        """Ends idle threads, and those that become idle."""
        stopping = Thread(target=super().stop, daemon=True)
        stopping.start()
        stopping.join(WAIT)
