"""Callers as C++ ones are: each asks once, and waits for the answer for as long as it takes."""

import selectors
import socket
import time
from collections.abc import Iterable
from threading import Event, Thread
from types import TracebackType
from typing import Self

from lars.route import ModuleId, shard_of
from tests.unit.agent.test_route_state import asking

PAUSE = 0.01
"""Seconds before a caller whose request was refused asks again."""


class PatientCallers:
    """Sockets that are connected to an agent's shards, in a thread; who is answered or refused asks again.

    Args:
        port: the agent's first port at 127.0.0.1.
        modules: what they ask for, each by as many callers.
        each: so many.
    """

    def __init__(self, port: int, modules: Iterable[ModuleId], each: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._asked: dict[socket.socket, float] = {}
        self._requests: dict[socket.socket, bytes] = {}
        self._refused: set[socket.socket] = set()
        self._ending = Event()
        self.answers = 0
        """Answers that have come."""
        for module in modules:
            for _ in range(each):
                caller = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
                caller.connect(("127.0.0.1", port + shard_of(module, 3)))
                self._requests[caller] = asking(module)
                self._selector.register(caller, selectors.EVENT_READ)
        self._thread = Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join()
        self._selector.close()
        for caller in self._requests:
            caller.close()

    def waiting(self, since: float = 0.0) -> int:
        """How many callers have waited for an answer for longer than so many seconds."""
        now = time.monotonic()
        return sum(now - asked >= since for asked in list(self._asked.values()))

    @property
    def count(self) -> int:
        """The number of callers."""
        return len(self._requests)

    def _run(self) -> None:
        for caller in self._requests:
            self._ask(caller)
        while not self._ending.is_set():
            for key, _events in self._selector.select(PAUSE):
                self._read(key.fileobj)  # type: ignore[arg-type]  # only sockets are registered
            for caller in [self._refused.pop() for _ in range(len(self._refused))]:
                self._ask(caller)

    def _ask(self, caller: socket.socket) -> None:
        try:
            caller.send(self._requests[caller])
        except ConnectionRefusedError:
            self._refused.add(caller)
        else:
            self._asked[caller] = time.monotonic()

    def _read(self, caller: socket.socket) -> None:
        try:
            caller.recv(65_536)
        except BlockingIOError:
            return
        except ConnectionRefusedError:
            self._asked.pop(caller, None)
            self._refused.add(caller)
            return
        self.answers += 1
        self._asked.pop(caller, None)
        self._ask(caller)
