"""The demo's business processes: threads that ask Lars for a host, really call it, and report the result."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from lars.cli.demo.nodes import call_node
from lars.cli.demo.record import Record
from lars.client import LarsClient
from lars.errors import LarsError
from lars.route import ModuleId

FAILED = 1
"""The retcode of a failed call: any but 0 counts as a failure (docs/design/wire.md, retcodes)."""


class Callers:
    """Threads that make `rate` calls a second together, from `start` to `stop`.

    Each has a client of its own, as a process has: one process alone ejects no node (docs/design/balancing.md,
    ejection).
    """

    def __init__(
        self, clients: Sequence[LarsClient], module: ModuleId, names: Mapping[str, str], rate: float = 300
    ) -> None:
        """`names` maps a node's IP:PORT to its name; it may grow while the threads run."""
        self._module = module
        self._names = names
        self._period = len(clients) / rate
        self._record = Record()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._crash: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._run, args=(client,), name=f"demo caller {number}", daemon=True)
            for number, client in enumerate(clients)
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

    def _run(self, client: LarsClient) -> None:
        due = time.monotonic()
        try:
            while not self._ended.is_set():
                self._call(client)
                due = max(due + self._period, time.monotonic() - self._period)
                self._ended.wait(max(0.0, due - time.monotonic()))
        except BaseException as error:
            self._crash = error

    def _call(self, client: LarsClient) -> None:
        try:
            host = client.get_host(*self._module)
            name = self._names.get(str(host), str(host))
            began = time.monotonic()
            with self._lock:
                self._record.called(began, name)
            succeeded = call_node(host.ip, host.port)
            if not succeeded:
                with self._lock:
                    self._record.failed(name)
            client.report(host, 0 if succeeded else FAILED, time.monotonic() - began)
        except LarsError as error:
            with self._lock:
                self._record.unanswered[str(error)] += 1
