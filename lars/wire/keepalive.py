"""How the kernel finds a peer that has vanished without a word (docs/design/wire.md, heartbeats)."""

import socket

IDLE = 10
"""Seconds of silence after which the kernel asks the peer's kernel."""

RETRY = 5
"""Seconds between such questions."""

PROBES = 3
"""Unanswered questions after which the connection is over."""

USER_TIMEOUT = 25
"""Seconds for which sent bytes may stay unacknowledged by the peer's kernel."""


def keep_alive(connection: socket.socket) -> None:
    """Ends a TCP connection whose peer machine does not answer for USER_TIMEOUT; that of an idle peer answers.

    SO_KEEPALIVE is the transport's to set.
    """
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, IDLE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, RETRY)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT * 1000)


def await_readers(connection: socket.socket) -> None:
    """Lets a peer that knows heartbeats take as long as it likes to read: it may be paused, and still be there."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 0)
