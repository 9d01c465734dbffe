"""A pool that follows a module's route: an object for each host, such as a connection or a pool of them.

>>> from lars.client.integrations.pool import HostPool
>>> with HostPool(client, 1, 1, make=str, end=lambda connection: None) as pool:
...     with pool.use() as connection:
...         print(connection)
127.0.0.1:900...

See docs/integrations.md, pools.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Generic, Self, TypeVar

from lars.client.blocking import LarsClient
from lars.client.call import Failures
from lars.client.host import Host
from lars.client.key import Key
from lars.client.watch import Watch
from lars.route import module_id

T = TypeVar("T")


class Entry(Generic[T]):
    """The object of one host, and how many use it now."""

    __slots__ = ("leaving", "made", "uses")

    def __init__(self, made: T) -> None:
        self.made = made
        self.uses = 0
        self.leaving = False


class HostPool(Generic[T]):
    """One object for each host, made when first used, ended once its host has left the route and nobody uses it.

    Threads share it. After a fork the child begins with none; those of the parent are left to the parent.

    Args:
        client: asks the agent; the program closes it, after the pool.
        modid: the business.
        cmdid: its function.
        make: makes the object of a host; called by the thread that uses it first, or by two that do at once, of which
            the second's is ended.
        end: ends an object; called by the last to use it, or by the pool's own thread. Must not raise.

    Raises InvalidRoute for ids that no module can have.
    """

    def __init__(
        self, client: LarsClient, modid: int, cmdid: int, make: Callable[[Host], T], end: Callable[[T], None]
    ) -> None:
        self.module = module_id(modid, cmdid)
        self._client = client
        self._make = make
        self._end = end
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._entries: dict[Host, Entry[T]] = {}
        self._watch: Watch | None = None

    @contextmanager
    def use(self, failures: Failures = Exception, *, key: Key | None = None) -> Iterator[T]:
        """The object of the host to call now, for a with block, which is reported as by `client.call`."""
        with self._client.call(*self.module, failures, key=key) as host:
            entry = self.acquire(host)
            try:
                yield entry.made
            finally:
                self.release(entry)

    def acquire(self, host: Host) -> Entry[T]:
        """The object of a host, which stays until it is released. Raises what `make` raises."""
        if os.getpid() != self._pid:
            self._begin()
        with self._lock:
            entry = self._entries.get(host)
            if entry is not None:
                entry.uses += 1
                return entry
        fresh = Entry(self._make(host))  # without the lock: it may connect
        with self._lock:
            if self._closed:
                entry, fresh.leaving = fresh, True
            else:
                entry = self._entries.setdefault(host, fresh)
                self._follow()
            entry.uses += 1
        if entry is not fresh:  # another thread was faster
            self._end(fresh.made)
        return entry

    def _follow(self) -> None:
        """Starts the thread that follows the route, unless there is one."""
        if self._watch is None:
            self._watch = self._client.watch(*self.module)
            threading.Thread(target=self._keep_in, args=(self._watch,), name="lars.pool", daemon=True).start()

    def release(self, entry: Entry[T]) -> None:
        """Ends a use."""
        with self._lock:
            entry.uses -= 1
            over = entry.leaving and not entry.uses
        if over:
            self._end(entry.made)

    def _keep_in(self, watch: Watch) -> None:
        for route in watch:
            self._keep(set(route.all))

    def _keep(self, hosts: set[Host]) -> None:
        """Drops the objects of all other hosts."""
        over = []
        with self._lock:
            for host in [host for host in self._entries if host not in hosts]:
                entry = self._entries.pop(host)
                entry.leaving = True
                if not entry.uses:
                    over.append(entry)
        for entry in over:
            self._end(entry.made)

    def close(self) -> None:
        """Ends all objects, those in use when they are released."""
        with self._lock:
            self._closed = True
        if self._watch is not None:
            self._watch.close()
        if os.getpid() == self._pid:
            self._keep(set())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
