"""Ports that servers of a test get, and whether a server has one."""

import socket

from twisted.trial.unittest import SynchronousTestCase

from bench.processes.ports import ReservedPort, free_udp_base, takes_connections, udp_port_is_open


class PortTests(SynchronousTestCase):
    def test_reserved_port_refuses_until_a_server_takes_it(self) -> None:
        with ReservedPort() as port, socket.socket() as server:
            self.assertFalse(takes_connections(port.number))
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("127.0.0.1", port.number))
            server.listen()
            self.assertTrue(takes_connections(port.number))
            self.assertEqual(port.endpoint, f"tcp:{port.number}:interface=127.0.0.1")

    def test_udp_port_is_open_while_a_socket_is_bound_to_it(self) -> None:
        port = free_udp_base(1)
        self.assertFalse(udp_port_is_open(port))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", port))
            self.assertTrue(udp_port_is_open(port))

    def test_udp_ports_in_a_row_are_given_once(self) -> None:
        given = [base + n for base in (free_udp_base(3) for _ in range(50)) for n in range(3)]
        self.assertEqual(len(set(given)), len(given))
