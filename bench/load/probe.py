"""A process that asks dns one question every few milliseconds, whatever the answers do, and times each.

    python -m bench.load.probe PORT MODID CMDID

It tries to connect until that works, prints the moment, asks until its standard input ends (or for ten minutes), and
prints as JSON when each request was due, how long after that it was answered, and how late it was sent. All moments
are of CLOCK_MONOTONIC, which every process of a machine shares.
"""

import json
import os
import select
import socket
import sys
import time
from collections import deque
from contextlib import suppress

from bench.services.dns_client import ask, request
from lars.route import ModuleId

INTERVAL = 0.005
"""Seconds between two requests."""

_LONGEST = 600.0
_OUTSTANDING = 300
"""Requests sent and not answered at most; those due beyond are not sent, and count as answered with the one before.

Dns may answer waiting requests for one module together once it has 64 KiB to write to a connection.
"""

_PATIENCE = 10.0
"""Seconds that the last answers are waited for."""


def main() -> None:
    """Probes until standard input ends."""
    with suppress(PermissionError):
        os.nice(-10)  # what is measured is how long dns makes it wait, not the scheduler
    port, modid, cmdid = map(int, sys.argv[1:])
    module = ModuleId(modid, cmdid)
    sock = _connected(port)
    if sock is None:
        return
    with sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        print(time.monotonic(), flush=True)
        sock.settimeout(60)
        frame_size = len(ask(sock, module))
        print(json.dumps(_probe(sock, request(module), frame_size)), flush=True)


def _connected(port: int) -> socket.socket | None:
    while not select.select([sys.stdin], [], [], 0.002)[0]:
        with suppress(OSError):
            return socket.create_connection(("127.0.0.1", port), 60)
    return None


def _probe(sock: socket.socket, frame: bytes, frame_size: int) -> list[tuple[float, float, float]]:
    """(when due, seconds until answered, seconds sent late) of each request."""
    samples: list[tuple[float, float, float]] = []
    waiting: deque[tuple[float, float, bool]] = deque()  # when due, how late it was, whether it was sent
    outstanding = 0
    received = 0
    due = time.monotonic()
    asking_ends, all_ends, asking = due + _LONGEST, due + _LONGEST, True
    while asking or (waiting and time.monotonic() < all_ends):
        watched = [sock, sys.stdin] if asking else [sock]
        ready = select.select(watched, [], [], max(0.0, due - time.monotonic()) if asking else 0.1)[0]
        now = time.monotonic()
        if sock in ready:
            data = sock.recv(65536)
            if not data:
                break
            received += len(data)
            while waiting and (received >= frame_size or not waiting[0][2]):
                was_due, late, was_sent = waiting.popleft()
                samples.append((was_due, now - was_due, late))
                if was_sent:
                    received -= frame_size
                    outstanding -= 1
        if asking and (sys.stdin in ready or now > asking_ends):
            asking, all_ends = False, now + _PATIENCE
        while asking and due <= now:
            send = outstanding < _OUTSTANDING
            waiting.append((due, now - due, send))
            if send:
                sock.sendall(frame)
                outstanding += 1
            due += INTERVAL
    now = time.monotonic()
    samples += [(was_due, now - was_due, late) for was_due, late, _sent in waiting]  # never answered: at least so long
    return samples


if __name__ == "__main__":
    main()
