"""A process's sockets to tell the agent what gets no answer: one for each shard, shared by all threads."""

import socket
import threading
from collections.abc import Sequence

from lars.client.address import AgentAddress
from lars.client.shard import AgentShard


class Closed(OSError):
    """The client is closed."""


def connected(peer: AgentAddress) -> socket.socket:
    """A UDP socket that only the peer's datagrams reach, and that waits for nothing; raises OSError."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        sock.setblocking(False)
        sock.connect(peer)
    except OSError:
        sock.close()
        raise
    return sock


class AgentTeller:
    """Each socket is made when first needed, and closed with the teller."""

    def __init__(self, shards: Sequence[AgentShard]) -> None:
        self._shards = shards
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._sockets: list[socket.socket | None] = [None] * len(self._shards)
        self._lock = threading.Lock()

    def tell(self, shard: AgentShard, datagram: bytes) -> None:
        """Sends a datagram that gets no answer; raises OSError, Closed after `close`."""
        sock = self._sockets[shard.number] or self._connected(shard)
        try:
            sock.send(datagram)
        except ConnectionRefusedError:  # what became of an earlier datagram; this one was not sent
            sock.send(datagram)

    def _connected(self, shard: AgentShard) -> socket.socket:
        with self._lock:
            if self._closed:
                raise Closed
            sock = self._sockets[shard.number]
            if sock is None:
                sock = self._sockets[shard.number] = connected(shard.peer)
            return sock

    def forked(self) -> None:
        """In the child of a fork: an error that is the parent's would come to either process."""
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
