"""What happens to gathered successes when a process pauses, forks or ends (docs/design/client.md, ends of a process).

A daemon thread, one a process, sends what waits when no next call does, and takes the agent's notices. It starts with
the first question to the agent, and ends some seconds after the last answer has run out, and before a fork.
"""

import atexit
import os
import select
import sys
import threading
import warnings
import weakref
from collections.abc import Iterable
from contextlib import suppress
from time import monotonic
from typing import Protocol

ROUND = 1.0
"""Seconds between two rounds of the thread."""

LAST_SECOND_ROUND = 0.4
"""Seconds between its rounds, in each of which it sends all, where a process may end by os._exit a second after its
last call: billiard's pool (Celery) ends its workers so, without finalizers."""

IDLE_ROUNDS = 5
"""Rounds without work after which it ends."""

_FINALIZERS = ("multiprocessing.util", "billiard.util")
"""Modules whose child processes end by os._exit, after their finalizers: atexit is not called there."""


class Gatherer(Protocol):
    """Whatever gathers successes: a client's core."""

    def flush(self) -> None:
        """Sends all that is gathered."""

    def flush_overdue(self, now: float) -> bool:
        """Sends what has waited for its time (monotonic seconds); whether more may be gathered without a question."""

    def filenos(self) -> Iterable[int]:
        """The sockets at which notices arrive."""

    def receive(self, now: float) -> None:
        """Takes the notices that have arrived."""

    def forked(self) -> None:
        """Called in the child of a fork: what is gathered is the parent's."""


class Ticker:
    """The thread. `rounds_left` goes down with each round, and up with each question to the agent."""

    def __init__(self) -> None:
        self.rounds_left = IDLE_ROUNDS
        self._ends = False
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread = threading.Thread(target=self._run, name="lars.client", daemon=True)

    def start(self) -> bool:
        """Starts it; False where no thread can be started: then the next call sends what waits."""
        try:
            self._thread.start()
        except RuntimeError:
            return False
        return True

    def _run(self) -> None:
        next_round = monotonic() + _round_length()
        while not self._ends:
            self._wait(next_round - monotonic())
            now = monotonic()
            if now >= next_round:
                next_round = now + _round_length()
                if self._round(now):
                    return

    def _wait(self, seconds: float) -> None:
        """Takes notices as they come; returns after so many seconds, or before."""
        ready = select.poll()
        for number in (self._wake, *_filenos()):
            ready.register(number, select.POLLIN)
        events = ready.poll(max(0.0, seconds) * 1000)
        if any(number == self._wake for number, _ in events):
            os.eventfd_read(self._wake)
        if events:
            _receive()

    def _round(self, now: float) -> bool:
        """Sends what is overdue. Returns whether there is no more work."""
        if _may_end_unseen():
            flush()
        for gatherer in _all():
            if gatherer.flush_overdue(now):
                self.rounds_left = IDLE_ROUNDS
        self.rounds_left -= 1
        return self.rounds_left < 0 and _leave(self)

    def look(self) -> None:
        """Has it look for other sockets."""
        with suppress(BlockingIOError):  # it will look in any case
            os.eventfd_write(self._wake, 1)

    def __del__(self) -> None:
        os.close(self._wake)  # not when it ends: another thread may be about to write there

    def stop(self) -> None:
        """Ends it; returns when it has ended."""
        self._ends = True
        self.look()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(ROUND)


_gatherers: dict[int, "weakref.ref[Gatherer]"] = {}
"""All live ones: a dictionary, because its values can be listed while other threads make clients."""
_ticker: Ticker | None = None
_lock = threading.Lock()
_finalized: set[str] = set()
"""Those of _FINALIZERS in which this process is registered."""
_ends = False


def add(gatherer: Gatherer) -> None:
    """From now on its successes are also sent in pauses, at exit and before a fork, while it lives."""
    _gatherers[id(gatherer)] = weakref.ref(gatherer)
    weakref.finalize(gatherer, _gatherers.pop, id(gatherer), None).atexit = False


def awake() -> None:
    """Called with each question to the agent: successes may be gathered from now on."""
    global _ticker
    ticker = _ticker
    if ticker is not None:
        ticker.rounds_left = IDLE_ROUNDS
    if ticker is None or ticker is not _ticker:
        with _lock:
            if _ticker is None and (fresh := Ticker()).start():
                _ticker = fresh
    for name in _FINALIZERS:
        if name in sys.modules and name not in _finalized:
            _finalized.add(name)
            sys.modules[name].Finalize(None, flush, exitpriority=-1)


def look() -> None:
    """Called when a socket was opened at which notices may arrive."""
    ticker = _ticker
    if ticker is not None:
        ticker.look()


def warn_unclosed(client: object) -> None:
    """Warns about a client that is dropped; not at the end of the process, which closes it as well."""
    if not _ends:
        warnings.warn(
            f"unclosed {client!r}: close() it, or use it in a with block; better, keep one for all calls",
            ResourceWarning,
            source=client,
            stacklevel=3,
        )


def flush() -> None:
    """Sends all that is gathered."""
    for gatherer in _all():
        gatherer.flush()


def _all() -> list[Gatherer]:
    return [gatherer for reference in list(_gatherers.values()) if (gatherer := reference()) is not None]


def _filenos() -> list[int]:
    """The sockets of all. Here, so that no reference is left while they are waited for: a client may be dropped."""
    return [number for gatherer in _all() for number in gatherer.filenos()]


def _receive() -> None:
    for gatherer in _all():
        gatherer.receive(monotonic())


def _may_end_unseen() -> bool:
    """Whether this process may be a worker of a pool that ends its workers by os._exit, without finalizers."""
    return "billiard.pool" in sys.modules


def _round_length() -> float:
    return LAST_SECOND_ROUND if _may_end_unseen() else ROUND


def _leave(ticker: Ticker) -> bool:
    """Whether the thread may end: nobody has asked in the meantime."""
    global _ticker
    with _lock:
        if ticker.rounds_left >= 0:
            return False
        _ticker = None
        return True


def _before_fork() -> None:
    global _ticker
    ticker, _ticker = _ticker, None
    if ticker is not None:  # a process with threads had better not fork (Python 3.12 warns)
        ticker.stop()
    flush()


def _after_fork() -> None:
    global _ticker, _lock
    _ticker, _lock = None, threading.Lock()
    _finalized.clear()
    for gatherer in _all():
        gatherer.forked()


def _at_exit() -> None:
    global _ends
    flush()
    _ends = True


atexit.register(_at_exit)
os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
