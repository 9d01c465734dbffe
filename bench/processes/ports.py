"""Ports of 127.0.0.1 for the servers of one test or benchmark."""

import random
import socket
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from bench.processes.errors import ProcessError


class ReservedPort:
    """A free TCP port of 127.0.0.1 that stays reserved while no server listens on it.

    It is held by a socket that is bound and does not listen: connections to it are refused, no outgoing connection
    gets it as its own port, and a server that sets SO_REUSEADDR, as Twisted's and MariaDB do, can listen on it.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    @property
    def endpoint(self) -> str:
        """The Twisted endpoint description of a server that listens on it."""
        return f"tcp:{self.number}:interface=127.0.0.1"

    def close(self) -> None:
        """Releases it."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_udp_locks: list[socket.socket] = []
"""What keeps other test processes off the UDP ports that this one was given, until it ends."""


def free_udp_base(count: int) -> int:
    """The first of `count` free UDP ports in a row on 127.0.0.1, such as an agent's shards, for this process alone.

    They are below those that the system gives out by itself, so that no client's socket gets one of them while the
    agent is down.
    """
    for _attempt in range(1000):
        base = random.randrange(10_000, 32_000)
        with ExitStack() as stack:
            try:
                locks = [_bound(socket.AF_UNIX, f"\0lars test udp {base + n}") for n in range(count)]
                for n in range(count):
                    stack.enter_context(_bound(socket.AF_INET, ("127.0.0.1", base + n)))
            except OSError:
                continue
        _udp_locks.extend(locks)
        return base
    raise ProcessError(f"there are no {count} free UDP ports in a row on 127.0.0.1")


def _bound(family: int, address: str | tuple[str, int]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


def takes_connections(port: int) -> bool:
    """Whether a server listens on a TCP port of 127.0.0.1 and completes a connection within a second."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def udp_port_is_open(port: int) -> bool:
    """Whether a socket is bound to a UDP port of 127.0.0.1, shown by an empty datagram that the kernel does not refuse.

    On the loopback the refusal is there before `send` returns.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("127.0.0.1", port))
        try:
            probe.send(b"")
            probe.recv(1, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except ConnectionRefusedError:
            return False
    return True
