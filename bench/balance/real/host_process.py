"""A host: `python -m bench.balance.real.host_process PORT WORKERS SECONDS SLOWNESS SEED`.

Serves WORKERS calls at a time from one queue, for SECONDS each on average, exponentially distributed. When 200 calls
wait it closes further ones at once, as the simulator's host refuses them. SIGUSR1 makes it SLOWNESS times slower,
SIGUSR2 as fast as before.
"""

import random
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from queue import Full, Queue
from types import FrameType

from bench.balance.real.exchange import TIMEOUT, answer

BACKLOG = 200


class Host:
    """Listens on a port of 127.0.0.1 from construction on."""

    def __init__(self, port: int, workers: int, mean: float, slowness: float, seed: int) -> None:
        self._answer = answer(port)
        self._mean = mean
        self._slowness = slowness
        self._slow = False
        self._random = random.Random(seed)
        self._waiting: Queue[socket.socket] = Queue(BACKLOG)
        self._socket = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
        for _ in range(workers):
            threading.Thread(target=self._work, daemon=True).start()

    def set_slow(self, slow: bool) -> None:
        """Whether calls that are served from now on take longer."""
        self._slow = slow

    def serve(self) -> None:
        """Takes connections, for ever."""
        while True:
            connection, _address = self._socket.accept()
            try:
                self._waiting.put_nowait(connection)
            except Full:
                connection.close()

    def _work(self) -> None:
        while True:
            with self._waiting.get() as connection, suppress(OSError):  # the caller may have given up
                connection.settimeout(TIMEOUT)
                if connection.recv(4096):
                    time.sleep(self._random.expovariate(1 / self._mean) * (self._slowness if self._slow else 1))
                    connection.sendall(self._answer)


def main(port: str, workers: str, mean: str, slowness: str, seed: str) -> None:
    """Runs a host until it is killed."""
    host = Host(int(port), int(workers), float(mean), float(slowness), int(seed))

    def changed(number: int, _frame: FrameType | None) -> None:
        host.set_slow(number == signal.SIGUSR1)

    signal.signal(signal.SIGUSR1, changed)
    signal.signal(signal.SIGUSR2, changed)
    host.serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
