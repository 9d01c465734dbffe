"""Hashes passwords in threads of their own, few at once: each takes 64 MiB and a core for a while."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from lars.accounts import hash_password, is_password
from lars.errors import LarsError
from lars.runtime.reactor import IReactor

P = ParamSpec("P")
Result = TypeVar("Result")

THREADS = 2
WAITING = 200
"""Passwords that may wait for a thread, for some five seconds; more are refused."""


class TooBusy(LarsError):
    """Too many passwords wait to be checked."""


class Passwords:
    """Hashes and checks passwords; `start` and `stop` it with the service."""

    def __init__(self, reactor: IReactor) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(1, THREADS, "lars-web passwords")
        self._waiting = 0
        self._stopped = False

    def start(self) -> None:
        """Starts the threads."""
        self._pool.start()

    def stop(self) -> None:
        """Returns when the threads have ended; passwords that wait are not checked."""
        self._stopped = True
        if self._pool.started:
            self._pool.stop()

    async def hash(self, password: str) -> str:
        """As hash_password; raises TooBusy."""
        return await self._in_thread(hash_password, password)

    async def check(self, stored: str | None, password: str) -> bool:
        """As is_password; raises TooBusy."""
        return await self._in_thread(is_password, stored, password)

    async def _in_thread(self, function: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
        def unless_stopped() -> Result:
            if self._stopped:
                raise TooBusy("lars-web is being stopped: try again in a few seconds")
            return function(*args, **kwargs)

        if self._waiting >= WAITING:
            raise TooBusy("too many people sign in at once: try again in a few seconds")
        self._waiting += 1
        try:
            return await deferToThreadPool(self._reactor, self._pool, unless_stopped)
        finally:
            self._waiting -= 1
