"""A business process: calls the hosts of a module from some threads until SIGTERM, and writes a line for each call.

`python -m tests.drill.caller FILE AGENT MODID CMDID cached|uncached|gateway STATE_DIR PAUSE`
"""

import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

from lars.client import Host, LarsClient
from lars.errors import LarsError
from tests.drill.calls import FAILED, OK
from tests.drill.gateway_client import GatewayClient

THREADS = 4
TIMEOUT = 0.5
"""Seconds for each step of a call to a host."""


class Caller:
    """Threads that call a module."""

    def __init__(
        self, client: LarsClient | GatewayClient, modid: int, cmdid: int, pause: float, output: TextIO
    ) -> None:
        """`pause` is between two calls of a thread, in seconds."""
        self._client = client
        self._module = modid, cmdid
        self._pause = pause
        self._output = output
        self._ended = threading.Event()

    def run(self) -> None:
        """Calls until `end`."""
        threads = [threading.Thread(target=self._calls, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._client.close()

    def end(self) -> None:
        """Has all threads end after the call that each is in."""
        self._ended.set()

    def _calls(self, number: int) -> None:
        if not self._ended.wait(self._pause * number / THREADS):
            while True:
                self._call()
                if self._ended.wait(self._pause):
                    return

    def _call(self) -> None:
        began = time.monotonic()
        try:
            host = self._client.get_host(*self._module)
        except LarsError as error:
            self._output.write(f"{began:.4f} {time.monotonic():.4f} - {type(error).__name__}\n")
            return
        try:
            _exchange(host)
        except (OSError, AssertionError):
            retcode, outcome = 1, FAILED
        else:
            retcode, outcome = 0, OK
        ended = time.monotonic()
        try:
            self._client.report(host, retcode, ended - began)
        except LarsError as error:
            outcome += f"+{type(error).__name__}"
        self._output.write(f"{began:.4f} {ended:.4f} {host} {outcome}\n")


def _exchange(host: Host) -> None:
    with socket.create_connection((host.ip, host.port), TIMEOUT) as connection:
        connection.sendall(b"who is there?\n")
        assert connection.recv(100) == f"{host}\n".encode()


def main(file: str, agent: str, modid: str, cmdid: str, way: str, state_dir: str, pause: str) -> None:
    """Runs the program; SIGTERM ends it in order."""
    client: LarsClient | GatewayClient
    if way == "gateway":
        client = GatewayClient(agent.partition(":")[0], 1.0)
    else:
        client = LarsClient(agent, timeout=1.0, cache=way == "cached", state_dir=state_dir)
    with Path(file).open("a", buffering=1, encoding="ascii") as output:
        caller = Caller(client, int(modid), int(cmdid), float(pause), output)
        signal.signal(signal.SIGTERM, lambda _number, _frame: caller.end())
        caller.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
