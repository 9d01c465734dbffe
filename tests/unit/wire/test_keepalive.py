"""The kernel's part in finding peers that have vanished."""

import socket

from twisted.trial.unittest import SynchronousTestCase

from lars.wire.keepalive import await_readers, keep_alive


class KeepAliveTests(SynchronousTestCase):
    """The kernel's part, for peers without heartbeats."""

    def test_vanished_machine_is_noticed_within_25_seconds(self) -> None:
        with socket.socket() as connection:
            keep_alive(connection)
            options = [
                connection.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            ]
            await_readers(connection)
            options.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
        self.assertEqual(options, [10, 5, 3, 25_000, 0])
