"""What the faults of links do to a connection: shows that the drills' network is what they take it for."""

import errno
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from bench.processes.waiting import until
from tests.drill.chaos.faults import DELAY, Faults
from tests.drill.chaos.schedule import Fault, Kind
from tests.drill.network import Cut, Network
from tests.drill.outcome import Outcome

PORT = 5000
SIZE = 200_000
"""Bytes of the request: many packets."""

TIMEOUT = 1.0
"""Seconds that a connection is waited for."""

QUICK = 0.5
"""Seconds, at most, for what is not lost or late."""


class LinksDrill:
    """A client in zone a, and a server in zone b that answers with the number of bytes."""

    def __init__(self, folder: Path) -> None:
        self._network = Network("a", "b")
        self._faults = Faults(self._network, {}, {}, {}, folder)
        self._server = self._network.zones["b"].first_address
        self._outcome = Outcome()

    def run(self) -> Outcome:
        """Makes a request over each kind of link; what came of it."""
        network = self._network
        with network.zones["b"].entered():
            listening = socket.create_server((self._server, PORT))
        with ExitStack() as stack:
            stack.callback(listening.close)
            stack.callback(self._faults.close)
            threading.Thread(target=_serve, args=(listening,), daemon=True).start()
            self._expect("whole link", "answered", 0, QUICK)
            network.cut("b", Cut.SILENT)
            self._expect("silent cut", "timed out", TIMEOUT, TIMEOUT + QUICK)
            network.heal()
            self._expect("healed", "answered", 0, QUICK)
            network.cut("b", Cut.DOWN)
            self._expect("link down", "ENETUNREACH", 0, QUICK)
            network.heal()
            until(lambda: self._request()[0] == "answered", "the link to be up", 5)
            with self._faults.making(Fault(0, 0, Kind.WEATHER, "a-b")):
                until(lambda: self._request()[0] == "answered", "packets to be passed on", 10)
                self._expect("bad weather", "answered", DELAY, 30)
            self._expect("fine weather", "answered", 0, QUICK)
        return self._outcome

    def _expect(self, link: str, wanted: str, least: float, most: float) -> None:
        what, seconds = self._request(10 if most > 10 else TIMEOUT)
        self._outcome.figures[link] = f"{what} after {seconds:.3f} s"
        self._outcome.require(what == wanted and least <= seconds <= most, f"{link}: {what} after {seconds:.3f} s")

    def _request(self, timeout: float = TIMEOUT) -> tuple[str, float]:
        """What came of a request, and after how many seconds."""
        begin = time.monotonic()
        with self._network.zones["a"].entered():
            connection = socket.socket()
        try:
            with connection:
                connection.settimeout(timeout)
                connection.connect((self._server, PORT))
                connection.sendall(bytes(SIZE))
                connection.shutdown(socket.SHUT_WR)
                what = "answered" if connection.recv(100) == str(SIZE).encode() else "cut short"
        except TimeoutError:
            what = "timed out"
        except OSError as error:
            what = errno.errorcode.get(error.errno or 0, str(error))
        return what, time.monotonic() - begin


def _serve(listening: socket.socket) -> None:
    while True:
        try:
            connection, _address = listening.accept()
        except OSError:
            return  # it is over
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection:
        connection.settimeout(30)
        received = 0
        try:
            while data := connection.recv(65_536):
                received += len(data)
            connection.sendall(str(received).encode())
        except OSError:
            return  # the client has given up
