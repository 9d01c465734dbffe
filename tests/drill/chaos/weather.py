"""Bad weather on a link: passes packets between two zones on, late and with losses. Runs beside the router.

`python -m tests.drill.chaos.weather LINK SUBNET LINK SUBNET DELAY LOSS`, where the router itself drops those packets.
The kernel's own means for this, tc-netem(8), is not in every kernel.
"""

import heapq
import random
import selectors
import socket
import sys
import time
from ipaddress import IPv4Address, IPv4Network

_ETH_P_IP = 0x0800
_LARGEST = 65_536


class Weather:
    """Takes the packets that arrive on some links for the subnet beyond the other.

    Args:
        ways: the link on which packets arrive, and the subnet that they are for.
        delay: seconds for which each is held; half of it varies at random, so that they overtake each other.
        loss: the share of packets that are lost.
    """

    def __init__(self, ways: dict[str, IPv4Network], delay: float, loss: float) -> None:
        self._delay = delay
        self._loss = loss
        self._waiting: list[tuple[float, int, bytes]] = []
        self._number = 0
        self._out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self._links = selectors.DefaultSelector()
        for link, subnet in ways.items():
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_IP))
            sock.bind((link, _ETH_P_IP))
            self._links.register(sock, selectors.EVENT_READ, subnet)

    def run(self) -> None:
        """Passes packets on for ever."""
        while True:
            self._send_due()
            timeout = max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else None
            for key, _events in self._links.select(timeout):
                assert isinstance(key.fileobj, socket.socket)
                packet, source = key.fileobj.recvfrom(_LARGEST)
                is_of_link = source[2] != socket.PACKET_OUTGOING and IPv4Address(packet[16:20]) in key.data
                if is_of_link and random.random() >= self._loss:
                    self._number += 1
                    due = time.monotonic() + self._delay * random.uniform(0.5, 1)
                    heapq.heappush(self._waiting, (due, self._number, packet))

    def _send_due(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            packet = heapq.heappop(self._waiting)[2]
            try:
                self._out.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))
            except OSError:  # the link is down, or the packet cannot pass: it is lost
                continue


if __name__ == "__main__":
    one, one_subnet, other, other_subnet, delay, loss = sys.argv[1:]
    ways = {one: IPv4Network(other_subnet), other: IPv4Network(one_subnet)}
    Weather(ways, float(delay), float(loss)).run()
