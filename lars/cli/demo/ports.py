"""Free ports of 127.0.0.1 for the demo's own stack.

They are below the range of ephemeral ports, so that no outgoing connection of the demo can take one after the check.
"""

import random
import socket
from collections.abc import Callable

from lars.errors import LarsError

_LOWEST, _HIGHEST = 20_000, 32_000


def free_tcp_port() -> int:
    """A TCP port that is free to listen on."""
    return _pick(lambda port: _can_bind(socket.SOCK_STREAM, port))


def free_udp_ports(count: int) -> int:
    """The first of `count` consecutive UDP ports that are free."""
    return _pick(lambda first: all(_can_bind(socket.SOCK_DGRAM, port) for port in range(first, first + count)))


def _pick(is_free: Callable[[int], bool]) -> int:
    for _attempt in range(200):
        if is_free(port := random.randrange(_LOWEST, _HIGHEST)):
            return port
    raise LarsError(f"no free ports on 127.0.0.1 between {_LOWEST} and {_HIGHEST}: stop some programs and try again")


def _can_bind(kind: socket.SocketKind, port: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
