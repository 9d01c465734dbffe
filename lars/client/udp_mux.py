"""One shard's socket in an event loop: multiplexes concurrent queries, and matches their answers by seq.

Independent of asyncio and Twisted: an EventLoop reports that the socket is readable, and that time has passed.
"""

import random
from collections.abc import Callable
from typing import Any, Protocol

from lars.client.address import AgentAddress
from lars.client.queries import MAX_DATAGRAM, SEQ_BITS, Query, seq_of
from lars.client.udp_socket import connected_socket
from lars.errors import LarsError

READ_BUDGET = 64
"""Datagrams read in one turn of the loop, so that the code waiting for them gets its turn."""

Deliver = Callable[[Any, Exception | None], None]
"""Called with the answer; with None and the agent's refusal; or with None and the system's error, None on a timeout."""


class Timer(Protocol):
    """A delayed call."""

    def cancel(self) -> object:
        """Called at most once, and only before the delayed call."""


class EventLoop(Protocol):
    """What a UdpMux needs of asyncio or Twisted."""

    def call_later(self, seconds: float, function: Callable[[], None]) -> Timer:
        """Calls the function once, after `seconds`."""

    def add_reader(self, mux: "UdpMux") -> None:
        """Calls the mux's `read` whenever its `fileno` is readable."""

    def remove_reader(self, mux: "UdpMux") -> None:
        """Undoes `add_reader`."""


class Pending:
    """A query without an answer yet."""

    __slots__ = ("deliver", "query", "resent", "timer")

    def __init__(self, query: Query[Any], deliver: Deliver) -> None:
        self.query = query
        self.deliver = deliver
        self.resent = False
        self.timer: Timer | None = None


class UdpMux:
    """`wait` is half of a query's timeout, in seconds; `key_of` gives the key of the query that a datagram answers."""

    def __init__(
        self,
        peer: AgentAddress,
        wait: float,
        loop: EventLoop,
        key_of: Callable[[bytes], int | None] = seq_of,
    ) -> None:
        self._wait = wait
        self._loop = loop
        self._key_of = key_of
        self._seq = random.randrange(1 << 28, 1 << 31)
        self._pending: dict[int, Pending] = {}
        self._socket = connected_socket(peer)
        loop.add_reader(self)

    def fileno(self) -> int:
        """The socket's descriptor, for the loop."""
        return self._socket.fileno()

    def next_seq(self) -> int:
        """The seq of the next query."""
        self._seq = (self._seq + 1) & SEQ_BITS
        return self._seq

    def ask(self, key: int, query: Query[Any], deliver: Deliver) -> None:
        """Sends the query, half-way once more. `deliver` is called once, unless the query is canceled."""
        pending = self._pending[key] = Pending(query, deliver)
        pending.timer = self._loop.call_later(self._wait, lambda: self._timed_out(key))
        self._send(pending)

    def cancel(self, key: int) -> None:
        """Drops a query; its `deliver` is not called."""
        pending = self._pending.pop(key, None)
        if pending is not None and pending.timer is not None:
            pending.timer.cancel()

    def _send(self, pending: Pending) -> None:
        for datagram in pending.query.datagrams:
            try:
                try:
                    self._socket.send(datagram)
                except ConnectionRefusedError:  # the error of an earlier datagram; this one was not sent
                    self._socket.send(datagram)
            except OSError:
                continue  # a full buffer, for example: treated as lost on the way

    def _timed_out(self, key: int) -> None:
        pending = self._pending[key]
        if pending.resent:
            pending.timer = None
            self._end(key, None, None)
        else:
            pending.resent = True
            pending.timer = self._loop.call_later(self._wait, lambda: self._timed_out(key))
            self._send(pending)

    def _end(self, key: int, answer: Any, error: Exception | None) -> None:
        deliver = self._pending[key].deliver
        self.cancel(key)
        deliver(answer, error)

    def read(self) -> None:
        """Reads what has arrived; the loop calls it."""
        receive = self._socket.recv
        try:
            for _ in range(READ_BUDGET):
                self._received(receive(MAX_DATAGRAM))
        except BlockingIOError:
            return
        except OSError as error:
            self._refused(error)

    def _received(self, datagram: bytes) -> None:
        key = self._key_of(datagram)
        pending = self._pending.get(key) if key is not None else None
        if pending is None or key is None:
            return  # late, or no answer to any query
        try:
            answer = pending.query.answer(datagram)
        except LarsError as refusal:
            self._end(key, None, refusal)
            return
        if answer is not None:
            self._end(key, answer, None)

    def _refused(self, error: OSError) -> None:
        """Sends pending queries once more: the error may belong to an earlier datagram. Ends those sent twice."""
        for key, pending in tuple(self._pending.items()):
            if pending.resent:
                self._end(key, None, error)
            else:
                pending.resent = True
                self._send(pending)

    def close(self) -> None:
        """Closes the socket; pending queries end as unanswered."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self)
            self._socket.close()
        for key in tuple(self._pending):
            if key in self._pending:
                self._end(key, None, None)

    def drop(self) -> None:
        """In the child of a fork: closes the socket, and leaves alone the loop, whose epoll is the parent's."""
        self._socket.close()

    def __del__(self) -> None:
        sock = getattr(self, "_socket", None)
        if sock is not None:
            sock.close()
