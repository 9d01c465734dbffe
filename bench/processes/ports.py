"""A TCP port of 127.0.0.1 that stays the benchmark's own while none of its servers listens there."""

import socket


class ReservedPort:
    """Held by a socket that is bound and does not listen: connections to it are refused, no outgoing connection gets
    it as its own port, and a server that sets SO_REUSEADDR, as Twisted's and MariaDB do, can listen on it."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def close(self) -> None:
        self._socket.close()
