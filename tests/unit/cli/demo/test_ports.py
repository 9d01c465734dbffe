"""Free ports for the demo."""

import socket

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.demo.nodes import HOST
from lars.cli.demo.ports import free_tcp_port, free_udp_ports


class PortTests(SynchronousTestCase):
    def test_a_free_tcp_port_can_be_listened_on(self) -> None:
        with socket.create_server((HOST, free_tcp_port())):
            pass

    def test_all_of_the_udp_ports_can_be_bound(self) -> None:
        first = free_udp_ports(3)
        for port in range(first, first + 3):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
                bound.bind((HOST, port))
