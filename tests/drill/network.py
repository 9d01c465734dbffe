"""Zones: a network namespace each, and the drill's own between them, which routes packets and cuts links."""

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from tests.drill.namespaces import run

_CLONE_NEWNET = 0x40000000  # setns(2)
_SIOCETHTOOL = 0x8946  # of linux/ethtool.h, as are the features
_ETHTOOL_STXCSUM, _ETHTOOL_STSO, _ETHTOOL_SGSO = 0x17, 0x1F, 0x24
_libc = ctypes.CDLL(None, use_errno=True)


class Cut(Enum):
    """What becomes of packets to and from a zone that is cut off."""

    SILENT = "silent"
    """They vanish."""
    DOWN = "down"
    """The zone's link is down: the router refuses packets to it as unreachable, and the zone finds no neighbors."""


class Zone:
    """A network namespace with addresses 10.77.N.2 and up, linked to the router at 10.77.N.1."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.subnet = f"10.77.{number}.0/24"
        self.link = f"zone-{name}"
        """The router's end of the link."""
        self._number = number
        self._addresses = 1
        run("ip", "netns", "add", name)
        run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "address", "add", f"10.77.{number}.1/24", "dev", self.link)
        run("ip", "link", "set", self.link, "up")
        run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        with self.entered():
            _send_as_on_a_wire("eth0")
        self.first_address = self.address()
        run("ip", "-n", name, "route", "add", "default", "via", f"10.77.{number}.1")

    def address(self) -> str:
        """A new address of the zone, which no other service has."""
        self._addresses += 1
        address = f"10.77.{self._number}.{self._addresses}"
        run("ip", "-n", self.name, "address", "add", f"{address}/24", "dev", "eth0")
        return address

    def command(self, command: Sequence[str]) -> list[str]:
        """The command that runs another in the zone."""
        return ["ip", "netns", "exec", self.name, *command]

    @contextmanager
    def entered(self) -> Iterator[None]:
        """The calling thread is in the zone: sockets that it makes meanwhile are the zone's."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        try:
            _set_network(there)
            yield
        finally:
            _set_network(before)
            os.close(there)
            os.close(before)


class Network:
    """Zones, each of which reaches all others until a link is cut."""

    def __init__(self, *names: str) -> None:
        Path("/run/netns").mkdir(exist_ok=True)
        self.zones = {name: Zone(name, number) for number, name in enumerate(names, 1)}
        self._down: set[str] = set()
        self._blocked: set[tuple[str, str]] = set()

    def cut(self, name: str, kind: Cut) -> None:
        """Cuts a zone off from all others."""
        if kind is Cut.DOWN:
            run("ip", "link", "set", self.zones[name].link, "down")
            self._down.add(name)
            return
        for other in self.zones.keys() - {name}:
            self.partition(name, other)

    def partition(self, one: str, other: str) -> None:
        """Has all packets between two zones vanish."""
        self.block(one, other)
        self.block(other, one)

    def block(self, source: str, target: str) -> None:
        """Has packets from one zone to another vanish; those of the other way still pass."""
        if (source, target) not in self._blocked:
            run("ip", "rule", "add", *self._rule(source, target))
            self._blocked.add((source, target))

    def join(self, one: str, other: str) -> None:
        """Has packets between two zones pass again, both ways."""
        for source, target in {(one, other), (other, one)} & self._blocked:
            run("ip", "rule", "del", *self._rule(source, target))
            self._blocked.remove((source, target))

    def reconnect(self, name: str) -> None:
        """Brings the link of a zone up again."""
        if name in self._down:
            run("ip", "link", "set", self.zones[name].link, "up")
            self._down.remove(name)

    def heal(self) -> None:
        """Repairs all links."""
        for name in list(self._down):
            self.reconnect(name)
        for source, target in list(self._blocked):
            self.join(source, target)

    def _rule(self, source: str, target: str) -> list[str]:
        return ["iif", self.zones[source].link, "to", self.zones[target].subnet, "blackhole"]


def _send_as_on_a_wire(link: str) -> None:
    """Has the link send packets with checksums and of the wire's size, which the kernel else leaves for later."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for feature in (_ETHTOOL_STXCSUM, _ETHTOOL_STSO, _ETHTOOL_SGSO):
            value = ctypes.create_string_buffer(struct.pack("=II", feature, 0))
            request = struct.pack("16sP16x", link.encode(), ctypes.addressof(value))
            fcntl.ioctl(sock, _SIOCETHTOOL, request)


def _set_network(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")
