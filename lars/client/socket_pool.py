"""The sockets of a blocking client: for each shard a pool, with a socket for each query that a thread waits on."""

import threading
import time
from collections import deque
from collections.abc import Sequence

from lars.client import process
from lars.client.queries import HostQuery
from lars.client.sender import Sender
from lars.client.shard_state import ShardState
from lars.client.udp_socket import Closed, UdpSocket

MAX_SOCKETS = 64
"""Concurrent queries to one shard. One more thread waits for a free socket, up to its timeout."""


class SocketPool:
    """The pool of one shard, shared by all threads. `wait` is half of a query's timeout, in seconds."""

    def __init__(self, shard: ShardState, wait: float) -> None:
        self._shard = shard
        self._wait = wait
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._free: deque[UdpSocket] = deque()
        self._opened = 0
        self._waiting = 0
        self._changed = threading.Condition()
        self._probe: tuple[UdpSocket, HostQuery] | None = None

    def acquire(self, deadline: float) -> UdpSocket | None:
        """A socket for one query, to be released; None if none is free by the deadline. Raises OSError."""
        try:
            return self._free.pop()  # the one used last
        except IndexError:
            return self._acquire_later(deadline)

    def _acquire_later(self, deadline: float) -> UdpSocket | None:
        with self._changed:
            if self._opened < MAX_SOCKETS:
                sock = self.new()
                self._opened += 1
                return sock
            self._waiting += 1
            try:
                while True:
                    try:
                        return self._free.pop()
                    except IndexError:  # or another thread was faster
                        if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                            return None
            finally:
                self._waiting -= 1

    def release(self, sock: UdpSocket) -> None:
        """Returns a socket to the pool after its query."""
        self._free.append(sock)
        if self._waiting:
            with self._changed:
                self._changed.notify()
        if self._closed:
            self._close_sockets()

    def new(self) -> UdpSocket:
        """A socket outside the pool, which the caller closes; raises OSError, Closed after `close`."""
        if self._closed:
            raise Closed
        return UdpSocket(self._shard.peer, self._wait)

    def probe(self, query: HostQuery) -> None:
        """Sends a query whose answer only `probe_answered` looks for. Raises OSError."""
        sock = self.new()
        self._probe, old = (sock, query), self._probe
        if old is not None:
            old[0].close()
        sock.send(query)

    def probe_answered(self) -> bool:
        """Whether the last probe was answered."""
        probe = self._probe
        if probe is None or not probe[0].answered(probe[1]):
            return False
        self._probe = None
        probe[0].close()
        return True

    def forked(self) -> None:
        """In the child of a fork: starts empty, since either process could receive the other's answers."""
        self._close_sockets()
        self._begin()

    def close(self) -> None:
        """Closes the sockets; one in use is closed when it is released."""
        self._closed = True
        self._close_sockets()

    def _close_sockets(self) -> None:
        while self._free:
            try:
                self._free.pop().close()
            except IndexError:  # another thread closes them as well
                break
        if self._probe is not None:
            self._probe[0].close()

    def __del__(self) -> None:
        self._close_sockets()


class AgentSockets:
    """All sockets of a blocking client; a Transport of its Core."""

    def __init__(self, shards: Sequence[ShardState], wait: float) -> None:
        self._sender = Sender(shards, process.look)
        self._pools = [SocketPool(shard, wait) for shard in shards]
        self.send, self.filenos, self.notices = self._sender.send, self._sender.filenos, self._sender.notices

    def __getitem__(self, shard: ShardState) -> SocketPool:
        return self._pools[shard.number]

    def forked(self) -> None:
        """In the child of a fork: starts with sockets of its own."""
        self._sender.forked()
        for pool in self._pools:
            pool.forked()

    def close(self) -> None:
        """Closes all sockets."""
        self._sender.close()
        for pool in self._pools:
            pool.close()
