"""UDP ports of 127.0.0.1 for the three shards of an agent, or of what is measured in its place."""

import socket
from contextlib import ExitStack

from bench.errors import BenchError


def free_udp_base(count: int) -> int:
    """The first of `count` UDP ports in a row that were free a moment ago."""
    for _attempt in range(200):
        with ExitStack() as opened:
            sockets = [opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(count)]
            try:
                sockets[0].bind(("127.0.0.1", 0))
                base: int = sockets[0].getsockname()[1]
                for offset, sock in enumerate(sockets[1:], 1):
                    sock.bind(("127.0.0.1", base + offset))
            except (OSError, OverflowError):
                continue
            return base
    raise BenchError(f"no {count} free UDP ports in a row")
