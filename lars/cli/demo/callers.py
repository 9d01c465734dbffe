"""The demo's business processes: threads that ask Lars for a host, call it for real, and report how it went."""

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
"""The retcode reported for a failed call: any but 0 counts as a failure (docs/design/wire.md, retcodes)."""


class Callers:
    """Threads that share one client and make `rate` calls a second together, from `start` to `stop`.

    Requests are made one at a time, so that the record has them in the order in which Lars answered them; the calls
    themselves overlap.
    """

    def __init__(
        self, client: LarsClient, module: ModuleId, names: Mapping[str, str], rate: float = 300, threads: int = 4
    ) -> None:
        """`names` maps a node's IP:PORT to its name; it may grow while calls run."""
        self._client = client
        self._module = module
        self._names = names
        self._period = threads / rate
        self._record = Record()
        self._lock = threading.Lock()
        self._request_lock = threading.Lock()
        self._ended = threading.Event()
        self._bug: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._run, name=f"demo caller {n}", daemon=True) for n in range(threads)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends the threads; returns when the calls under way are over."""
        self._ended.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    @contextmanager
    def record(self) -> Iterator[Record]:
        """What the callers have seen so far; nothing is added while the caller of this holds it.

        Raises whatever ended one of the threads, if something did.
        """
        with self._lock:
            if self._bug is not None:
                raise self._bug
            yield self._record

    def _run(self) -> None:
        due = time.monotonic()
        try:
            while not self._ended.is_set():
                self._call()
                due = max(due + self._period, time.monotonic() - self._period)
                self._ended.wait(max(0.0, due - time.monotonic()))
        except BaseException as bug:
            self._bug = bug

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
