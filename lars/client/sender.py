"""A process's sockets for datagrams that get no answer: one for each shard, shared by all threads."""

import socket
import threading
from collections.abc import Sequence

from lars.client.shard_state import ShardState
from lars.client.udp_socket import Closed, connected_socket


class Sender:
    """Opens each socket when it is first needed; `close` closes them."""

    def __init__(self, shards: Sequence[ShardState]) -> None:
        self._shards = shards
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
            return sock

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
