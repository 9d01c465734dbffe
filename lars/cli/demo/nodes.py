"""A node of the demo: a real TCP server that answers a line with "ok", or fails or is slow on demand."""

import socket
import socketserver
import threading
import time
from enum import Enum

HOST = "127.0.0.1"
ANSWER = b"ok\n"
SERVICE_TIME = 0.004
"""Seconds that a call takes a node."""
SLOWNESS = 10
"""How many times as long it takes a slow one."""


class Condition(Enum):
    """How a node serves calls."""

    ANSWERS = "answers"
    FAILS = "fails"
    SLOW = "is slow"


class Node(socketserver.ThreadingTCPServer):
    """Serves one line per connection, in threads of this process; listens on a free port when constructed.

    While its condition is FAILS, it closes connections without an answer, like a process that crashes on each call.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, name: str) -> None:
        super().__init__((HOST, 0), _Connection)
        self.name = name
        self.condition = Condition.ANSWERS
        self.port: int = self.socket.getsockname()[1]
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name=f"demo {name}", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """IP:PORT, as `lars route add` takes it."""
        return f"{HOST}:{self.port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignores callers that disconnect during a call."""

    def stop(self) -> None:
        """Closes the listening socket and ends the thread."""
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Connection(socketserver.StreamRequestHandler):
    timeout = 2.0
    server: Node

    def handle(self) -> None:
        if self.rfile.readline(256) and self.server.condition is not Condition.FAILS:
            time.sleep(SERVICE_TIME * (SLOWNESS if self.server.condition is Condition.SLOW else 1))
            self.wfile.write(ANSWER)


def call_node(ip: str, port: int, timeout: float = 1.0) -> bool:
    """Calls a node; returns whether it answered. Connecting and answering may each take `timeout` seconds."""
    try:
        with socket.create_connection((ip, port), timeout) as connection, connection.makefile("rb") as answers:
            connection.sendall(b"hello\n")
            return answers.readline(256) == ANSWER
    except OSError:
        return False
