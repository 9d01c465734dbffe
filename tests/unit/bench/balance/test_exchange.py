"""The call that a real run measures, over real sockets."""

import socket
import threading

from twisted.trial.unittest import SynchronousTestCase

from bench.balance.real.exchange import answer, call
from bench.balance.server import FAILED, OK, TIMED_OUT
from bench.processes.ports import ReservedPort


class CallTests(SynchronousTestCase):
    def call(self, answered: bytes) -> tuple[int, int]:
        """A call to a server that answers with this and closes the connection."""
        with socket.create_server(("127.0.0.1", 0)) as server:

            def serve() -> None:
                connection, _address = server.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(answered)

            thread = threading.Thread(target=serve)
            thread.start()
            self.addCleanup(thread.join)
            return call(server.getsockname())

    def test_an_answer_names_the_host(self) -> None:
        self.assertEqual(self.call(answer(8080)), (OK, 8080))

    def test_a_connection_that_is_closed_without_an_answer_has_failed(self) -> None:
        self.assertEqual(self.call(b""), (FAILED, 0))

    def test_what_a_proxy_says_of_its_own_has_failed_or_timed_out(self) -> None:
        self.assertEqual(self.call(b"HTTP/1.1 503 Service Unavailable\r\n\r\nno healthy upstream"), (FAILED, 0))
        self.assertEqual(self.call(b"HTTP/1.1 504 Gateway Timeout\r\n\r\n"), (TIMED_OUT, 0))

    def test_a_refused_connection_has_failed(self) -> None:
        with ReservedPort() as port:
            self.assertEqual(call(("127.0.0.1", port.number)), (FAILED, 0))

    def test_a_server_that_says_nothing_times_out(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.assertEqual(call(server.getsockname(), timeout=0.01), (TIMED_OUT, 0))
