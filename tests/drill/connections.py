"""Counts the attempts to connect that arrive in a zone, by place and second, from the packets themselves."""

import ctypes
import selectors
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable

from tests.drill.network import Zone

_ETH_P_IP = 0x0800
_SO_ATTACH_FILTER = 26
_FIRST_PACKETS = [  # of bpf(4): TCP, no later fragment, SYN without ACK
    (0x30, 0, 0, 9),
    (0x15, 0, 7, 6),
    (0x28, 0, 0, 6),
    (0x45, 5, 0, 0x1FFF),
    (0xB1, 0, 0, 0),
    (0x50, 0, 0, 13),
    (0x54, 0, 0, 0x12),
    (0x15, 0, 1, 0x02),
    (0x06, 0, 0, 96),
    (0x06, 0, 0, 0),
]

Place = tuple[str, int]
"""Address and port."""


class ConnectionCounts:
    """Attempts to connect to each place of some zones; repeated SYNs count too, as they load a server likewise."""

    def __init__(self, zones: Iterable[Zone]) -> None:
        self._counts: Counter[tuple[Place, int]] = Counter()
        self._selector = selectors.DefaultSelector()
        self._ended = threading.Event()
        for zone in zones:
            with zone.entered():
                self._selector.register(_sniffer(), selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._ended.is_set():
            for key, _events in self._selector.select(0.2):
                assert isinstance(key.fileobj, socket.socket)
                packet, source = key.fileobj.recvfrom(96)
                if source[2] != socket.PACKET_OUTGOING:
                    self._counts[_target(packet), int(time.monotonic())] += 1

    def most(self, places: Collection[Place], begin: float, end: float) -> int:
        """The most attempts at all the places together in a whole second between two monotonic times."""
        seconds: Counter[int] = Counter()
        for (place, second), count in self._counts.copy().items():
            if place in places and int(begin) <= second <= end:
                seconds[second] += count
        return max(seconds.values(), default=0)

    def close(self) -> None:
        """Counts no more."""
        self._ended.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()


def _sniffer() -> socket.socket:
    code = b"".join(struct.pack("HBBI", *line) for line in _FIRST_PACKETS)
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HP", len(_FIRST_PACKETS), ctypes.addressof(buffer))
    sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_IP))
    sniffer.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
    return sniffer


def _target(packet: bytes) -> Place:
    header = (packet[0] & 15) * 4
    return socket.inet_ntoa(packet[16:20]), int.from_bytes(packet[header + 2 : header + 4], "big")
