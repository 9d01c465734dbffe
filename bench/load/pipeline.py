"""Requests sent down one connection without waiting for each answer: as many outstanding as a window allows.

The sender's bytes are encoded beforehand and the reader counts bytes, so that this side costs little of what it
measures; the answers are kept, to be checked when the clock is stopped.
"""

import select
import socket
import time
from dataclasses import dataclass

from bench.errors import BenchError

_READ = 256 * 1024
_PATIENCE = 10.0
"""Seconds without an answer after which there is none to come."""


@dataclass(frozen=True, slots=True)
class Pipelined:
    """What came of it: `seconds` from the first request to the last answer, and this side's own CPU time in it."""

    answered: int
    seconds: float
    client_cpu: float
    stream: list[bytes]

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds


def pipelined(
    sock: socket.socket, requests: bytes, request_size: int, answer_size: int, window: int, seconds: float
) -> Pipelined:
    """Sends requests round and round for so many seconds, then waits for the last answers.

    Args:
        sock: connected, with nothing under way.
        requests: frames of one size, at least `window` of them.
        request_size: of one request, in bytes.
        answer_size: of one answer, in bytes.
        window: requests without an answer at most.
        seconds: how long to send.

    Raises BenchError if answers stop coming.
    """
    twice = memoryview(requests + requests)
    sock.setblocking(False)
    poll = select.poll()
    stream: list[bytes] = []
    sent = received = 0  # bytes
    begin, cpu = time.monotonic(), time.process_time()
    while True:
        outstanding = sent - received // answer_size * request_size  # in bytes of requests
        room = window * request_size - outstanding
        if time.monotonic() - begin >= seconds:
            if not outstanding:
                break
            room = -sent % request_size  # only the rest of a request that was cut
            wants_to_send = room > 0
        else:
            wants_to_send = room >= window * request_size // 4
        poll.register(sock, select.POLLIN | (select.POLLOUT if wants_to_send else 0))
        ready = poll.poll(_PATIENCE * 1000)
        if not ready:
            raise BenchError(f"{sent // request_size - received // answer_size} requests are not answered")
        if ready[0][1] & select.POLLOUT:
            offset = sent % len(requests)
            sent += sock.send(twice[offset : offset + room])
        if ready[0][1] & ~select.POLLOUT:
            data = sock.recv(_READ)
            if not data:
                raise BenchError("the connection was closed")
            stream.append(data)
            received += len(data)
    elapsed = time.monotonic() - begin
    return Pipelined(received // answer_size, elapsed, time.process_time() - cpu, stream)


def saturated(**shares: float) -> str:
    """Which of the sides had a whole core's work, or none, from each one's share of a core."""
    busy = [name for name, share in shares.items() if share >= 0.9]
    return " and ".join(busy) if busy else "neither"
