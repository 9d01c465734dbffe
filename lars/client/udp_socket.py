"""A UDP socket to one shard of the agent, for one query and its answer at a time."""

import random
import select
import socket
import time
from typing import TypeVar

from lars.client.address import AgentAddress, NamedAddress
from lars.client.queries import Query
from lars.errors import LarsError

T = TypeVar("T")


class Closed(OSError):
    """The client is closed."""


def connected_socket(peer: AgentAddress) -> socket.socket:
    """A non-blocking UDP socket that receives from the peer only; raises OSError. The caller closes it."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        sock.setblocking(False)
        sock.connect(peer)
        if isinstance(peer, NamedAddress):
            peer.sockets.add(sock)
    except OSError:
        sock.close()
        raise
    return sock


class _Selected:
    """As select.poll, which eventlet takes away, for one socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def poll(self, timeout_ms: float) -> list[socket.socket]:
        return select.select([self._socket], [], [], timeout_ms / 1000)[0]


def _readable(sock: socket.socket) -> "select.poll | _Selected":
    if not hasattr(select, "poll"):
        return _Selected(sock)
    readable = select.poll()
    readable.register(sock, select.POLLIN)
    return readable


class UdpSocket:
    """A socket to one shard, used by one thread at a time. `wait` is half of a query's timeout, in seconds."""

    __slots__ = ("_readable", "_seq", "_socket", "_wait", "_wait_ms")

    def __init__(self, peer: AgentAddress, wait: float) -> None:
        self._wait = wait
        self._wait_ms = wait * 1000
        self._seq = random.randrange(1 << 28, 1 << 31)  # answers to an earlier socket may still arrive at a reused port
        self._socket = connected_socket(peer)
        self._readable = _readable(self._socket)  # a Python socket with a timeout would poll before it sends, too

    def next_seq(self) -> int:
        """The seq of the next query."""
        self._seq += 1
        return self._seq

    def ask(self, query: Query[T], deadline: float) -> T | None:
        """Sends the query, half-way once more; None if no answer arrives by the deadline (monotonic seconds).

        Raises OSError if the query cannot be sent or was refused both times, and the errors of `Query.answer`.
        """
        try:
            self.send(query)
            if self._readable.poll(self._wait_ms):
                answer = query.answer(self._socket.recv(query.max_size))
                if answer is not None:
                    return answer
        except (ConnectionRefusedError, BlockingIOError):
            pass  # the error may belong to an earlier datagram, or a checksum was wrong: worth the second attempt
        else:
            answer = self._answer(query, deadline - self._wait)
            if answer is not None:
                return answer
        self.send(query)
        return self._answer(query, deadline)

    def _answer(self, query: Query[T], until: float) -> T | None:
        """The answer, or None if none arrives by then; other datagrams are dropped."""
        while (left := until - time.monotonic()) > 0 and self._readable.poll(left * 1000):
            try:
                answer = query.answer(self._socket.recv(query.max_size))
            except BlockingIOError:  # its checksum was wrong
                continue
            if answer is not None:
                return answer
        return None

    def send(self, query: Query[T]) -> None:
        """Sends the query's datagrams; raises OSError."""
        for datagram in query.datagrams:
            self._socket.send(datagram)

    def answered(self, query: Query[T]) -> bool:
        """Whether an answer to a query sent before has arrived; does not block."""
        try:
            while query.answer(self._socket.recv(query.max_size)) is None:
                pass
        except OSError:
            return False
        except LarsError:  # a refusal is an answer, too
            return True
        return True

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()
