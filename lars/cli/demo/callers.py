"""The demo's business processes: threads that ask Lars for a host, really call it, and report the result."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from lars.cli.demo.nodes import call_node
from lars.cli.demo.record import Record
from lars.client import Host, LarsClient
from lars.errors import LarsError
from lars.route import ModuleId

FAILED = 1
"""The retcode of a failed call: any but 0 counts as a failure (docs/design/wire.md, retcodes)."""


class Callers:
    """Threads that share one client and make `rate` calls a second together, from `start` to `stop`.

    They ask Lars one at a time, so that the record has the order in which Lars chose; the calls themselves overlap.
    """

    def __init__(
        self, client: LarsClient, module: ModuleId, names: Mapping[str, str], rate: float = 300, threads: int = 4
    ) -> None:
        """`names` maps a node's IP:PORT to its name; it may grow while the threads run."""
        self._client = client
        self._module = module
        self._names = names
        self._period = threads / rate
        self._record = Record()
        self._lock = threading.Lock()
        self._request_lock = threading.Lock()
        self._ended = threading.Event()
        self._crash: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._run, name=f"demo caller {n}", daemon=True) for n in range(threads)
        ]

    def start(self) -> None:
        """Starts the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends the threads; returns when their last calls have ended."""
        self._ended.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    @contextmanager
    def record(self) -> Iterator[Record]:
        """The record so far, locked while the context is open.

        Raises the exception that ended a thread, if there is one.
        """
        with self._lock:
            if self._crash is not None:
                raise self._crash
            yield self._record

    def _run(self) -> None:
        due = time.monotonic()
        try:
            while not self._ended.is_set():
                self._call()
                due = max(due + self._period, time.monotonic() - self._period)
                self._ended.wait(max(0.0, due - time.monotonic()))
        except BaseException as error:
            self._crash = error

    def _call(self) -> None:
        try:
            host, number, began = self._choose()
            succeeded = call_node(host.ip, host.port)
            if not succeeded:
                with self._lock:
                    self._record.failed(number, self._name(host))
            self._client.report(host, 0 if succeeded else FAILED, time.monotonic() - began)
        except LarsError as error:
            with self._lock:
                self._record.unanswered[str(error)] += 1

    def _choose(self) -> tuple[Host, int, float]:
        """The host to call, the number of the call, and when it began."""
        with self._request_lock:
            host = self._client.get_host(*self._module)
            now = time.monotonic()
            with self._lock:
                return host, self._record.chosen(now, self._name(host)), now

    def _name(self, host: Host) -> str:
        return self._names.get(str(host), str(host))
