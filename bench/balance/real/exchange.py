"""The call that is measured: one HTTP request on a connection of its own, to a host or through a proxy."""

import socket
import time

from bench.balance.server import FAILED, OK, TIMED_OUT

REQUEST = b"GET / HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n"
TIMEOUT = 1.0
"""Seconds after which a caller gives up, as in the simulator."""


def answer(port: int) -> bytes:
    """What a host answers: its port, by which a caller behind a proxy knows which host it was."""
    body = str(port).encode()
    return b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def call(address: tuple[str, int], timeout: float = TIMEOUT) -> tuple[int, int]:
    """Makes one call. How it ended (OK, FAILED or TIMED_OUT), and the port of the host that answered, or 0."""
    deadline = time.monotonic() + timeout
    received = b""
    try:
        with socket.create_connection(address, timeout) as sock:
            sock.sendall(REQUEST)
            while True:
                sock.settimeout(max(0.001, deadline - time.monotonic()))
                data = sock.recv(4096)
                if not data:
                    break
                received += data
    except TimeoutError:
        return TIMED_OUT, 0
    except OSError:
        return FAILED, 0
    head, _, body = received.partition(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.1 200 ") and body.isdigit():
        return OK, int(body)
    return TIMED_OUT if head.startswith(b"HTTP/1.1 504 ") else FAILED, 0
