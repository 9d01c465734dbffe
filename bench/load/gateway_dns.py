"""A DNS client of lars-gateway: `python -m bench.load.gateway_dns PORT SECONDS RATE`; rate 0 is as fast as it goes.

Asks for A of module (1, 1) from one socket. As fast as it goes, WINDOW queries are under way at once; at a rate, each
is timed from when it was due. Prints JSON: answers, seconds, and the seconds of each answer.
"""

import json
import select
import socket
import sys
import time
from struct import pack, unpack

WINDOW = 32
"""Queries under way at once."""

QUESTION = b"\x01\x00\0\x01\0\0\0\0\0\0\x011\x011\x04lars\0\0\x01\0\x01"
"""All but the id: recursion desired, one question, 1.1.lars A IN."""

LATE = 2.0
"""Seconds to wait for the last answers."""


def main() -> None:
    """Asks for a while and prints what came of it."""
    port, seconds, rate = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    due: dict[int, float] = {}
    samples: list[float] = []
    sent = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", port))
        sock.setblocking(False)
        began = now = time.perf_counter()
        while now - began < seconds or (due and now - began < seconds + LATE):
            while now - began < seconds and (now >= began + sent / rate if rate else len(due) < WINDOW):
                ident = sent % 65_536
                due[ident] = began + sent / rate if rate else now
                sock.send(pack("!H", ident) + QUESTION)
                sent += 1
            until_next = max(0.0, began + sent / rate - now) if rate else 1.0
            if select.select([sock], [], [], until_next)[0]:
                take(sock, due, samples)
            now = time.perf_counter()
    lost = sent - len(samples)
    json.dump(
        {"answers": len(samples), "lost": lost, "seconds": min(now - began, seconds), "samples": samples}, sys.stdout
    )


def take(sock: socket.socket, due: dict[int, float], samples: list[float]) -> None:
    """Takes the answers that have arrived; each must have an address."""
    while True:
        try:
            answer = sock.recv(2_048)
        except BlockingIOError:
            return
        ident, flags, _questions, answers = unpack("!4H", answer[:8])
        if flags & 15 or answers != 1:
            raise SystemExit(f"lars-gateway answered {answer!r}")
        samples.append(time.perf_counter() - due.pop(ident))


if __name__ == "__main__":
    main()
