"""A process's sockets for datagrams that get no answer: one for each shard, shared by all threads.

The agent sends notices to them (docs/design/client.md, what other processes know).
"""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence

from lars.client.queries import MAX_DATAGRAM
from lars.client.shard_state import ShardState
from lars.client.udp_socket import Closed, connected_socket

MAX_NOTICES = 64
"""Notices taken from a socket in one turn, at most."""


class Sender:
    """Opens each socket when it is first needed; `close` closes them.

    Args:
        shards: the shards.
        opened: called after a socket was opened.
    """

    def __init__(self, shards: Sequence[ShardState], opened: Callable[[], None]) -> None:
        self._shards = shards
        self._opened = opened
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._sockets: list[socket.socket | None] = [None] * len(self._shards)
        self._lock = threading.Lock()

    def send(self, shard: ShardState, datagram: bytes) -> None:
        """Sends a datagram; raises OSError, Closed after `close`."""
        sock = self._sockets[shard.number] or self._connected(shard)
        try:
            sock.send(datagram)
        except ConnectionRefusedError:  # the error of an earlier datagram; this one was not sent
            sock.send(datagram)

    def _connected(self, shard: ShardState) -> socket.socket:
        with self._lock:
            if self._closed:
                raise Closed
            sock = self._sockets[shard.number]
            if sock is None:
                sock = self._sockets[shard.number] = connected_socket(shard.peer)
                self._opened()
            return sock

    def filenos(self) -> list[int]:
        """The open sockets."""
        return [number for sock in self._sockets if sock is not None and (number := sock.fileno()) >= 0]

    def notices(self) -> Iterator[tuple[ShardState, bytes]]:
        """The datagrams that have arrived; does not wait. The error of an earlier datagram is passed over."""
        for shard, sock in zip(self._shards, tuple(self._sockets), strict=True):
            if sock is None:
                continue
            for _ in range(MAX_NOTICES):
                try:
                    datagram = sock.recv(MAX_DATAGRAM)
                except ConnectionRefusedError:
                    continue
                except OSError:  # nothing is left, or it has been closed
                    break
                yield shard, datagram

    def forked(self) -> None:
        """In the child of a fork: opens sockets of its own, since either process could receive the other's errors."""
        self._close_sockets()
        self._begin()

    def close(self) -> None:
        """Closes the sockets."""
        self._closed = True
        self._close_sockets()

    def _close_sockets(self) -> None:
        for number, sock in enumerate(self._sockets):
            if sock is not None:
                self._sockets[number] = None
                sock.close()

    def __del__(self) -> None:
        self._close_sockets()
