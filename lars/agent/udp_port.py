"""A UDP port for many small datagrams, read directly by the reactor (docs/design/agent.md, UDP port).

Twisted's own UDP port costs more than the answer does: it checks each address three times, and passes two methods and
a logging context for each datagram. This one drives the same DatagramProtocol for less.
"""

import errno
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from struct import Struct

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IListeningPort, IReadDescriptor, IUDPTransport
from twisted.internet.protocol import DatagramProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from lars.route import HostAddress, format_ip
from lars.runtime.listening import CannotListen
from lars.runtime.log_limit import LogLimit
from lars.runtime.reactor import IReactor

_log = Logger()

MAX_DATAGRAM = 65_536
"""Bytes read at once: more than any datagram has, so that none is cut."""

READ_BUDGET = 16
"""Datagrams read in one turn of the reactor, so that the other readers get theirs."""

RECEIVE_BUFFER = 4 * 1024 * 1024
"""Bytes asked of the kernel for datagrams that wait: about a fifth of a second of full load."""

_UNPRIVILEGED = 1024  # the first port that everybody may bind

_IP_PKTINFO = 8  # ip(7); Python's socket module lacks the name before 3.14
_PKTINFO = Struct("i4s4s")  # in_pktinfo of ip(7): interface, local address, destination in the header
_PKTINFO_SPACE = socket.CMSG_SPACE(_PKTINFO.size)


@implementer(IListeningPort, IReadDescriptor, IUDPTransport)
class UdpPort:
    """One IPv4 UDP port and its protocol, whose transport it is.

    Args:
        reactor: the reactor that reads.
        place: where to listen.
        protocol: gets each datagram; an exception from it is logged and costs that datagram only.

    Raises:
        CannotListen: the port is taken, or the address is not one of this machine.
    """

    def __init__(self, reactor: IReactor, place: HostAddress, protocol: DatagramProtocol) -> None:
        self._reactor = reactor
        self._place = place
        self._protocol = protocol
        self._limit = LogLimit(reactor.seconds)
        self._socket = bound_socket(place)
        self._receive: Callable[[int], tuple[bytes, tuple[str, int]]] = self._socket.recvfrom
        self.unsent = 0
        """Answers that the kernel did not take."""
        self.receive_buffer = _ask_for_buffer(self._socket)
        """Bytes of receive buffer that the kernel gave."""
        protocol.makeConnection(self)

    @property
    def number(self) -> int:
        """The port's number."""
        return self._place.port

    def startListening(self) -> None:
        """Starts reading."""
        self._reactor.addReader(self)

    def stopListening(self) -> Deferred[None]:
        """Hands what has come to the protocol and frees the port; the kernel refuses what comes meanwhile.

        A socket that is connected, here to itself, gets the datagrams of its peer alone (connect(2)), and what it has
        can still be read.
        """
        self._reactor.removeReader(self)
        with suppress(OSError):  # it is closed already
            self._socket.connect(self._socket.getsockname())
            self._drain(self._socket.getpeername())
        self._socket.close()
        self._protocol.doStop()
        return succeed(None)

    def getHost(self) -> IPv4Address:
        """The place that the port is bound to."""
        return IPv4Address("UDP", format_ip(self._place.ip), self._place.port)

    def write(self, packet: bytes, addr: tuple[str, int] | None = None) -> None:
        """Sends a datagram; one that the kernel does not take is counted. No `addr`: to the connected peer."""
        try:
            if addr is not None:
                self._socket.sendto(packet, addr)
            else:
                self._socket.send(packet)
        except OSError:
            self.unsent += 1

    def connect(self, host: str, port: int) -> None:
        """Exchanges datagrams with one peer only."""
        self._socket.connect((host, port))

    def setBroadcastAllowed(self, enabled: bool) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, enabled)

    def getBroadcastAllowed(self) -> bool:
        return bool(self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST))

    def fileno(self) -> int:
        return self._socket.fileno()

    def logPrefix(self) -> str:
        return f"UDP {self._place}"

    def connectionLost(self, reason: Failure) -> None:
        """Called by the reactor if the descriptor turns out to be bad; there is no connection to lose."""

    def doRead(self) -> None:
        receive, received = self._receive, self._protocol.datagramReceived
        try:
            for _ in range(READ_BUDGET):
                data, address = receive(MAX_DATAGRAM)
                try:
                    received(data, address)
                except Exception:
                    self._log_bug()
        except OSError:
            return  # all is read, or an ICMP error of an earlier answer: the next read works

    def _drain(self, own_address: tuple[str, int]) -> None:
        """Handles all that waits; what the port has sent to itself is left out, or its answers would never end."""
        while True:
            try:
                data, address = self._receive(MAX_DATAGRAM)
            except ConnectionRefusedError:
                continue  # an ICMP error of an earlier answer
            except BlockingIOError:
                return
            if address != own_address:
                self._handle(data, address)

    def _handle(self, data: bytes, address: tuple[str, int]) -> None:
        try:
            self._protocol.datagramReceived(data, address)
        except Exception:
            self._log_bug()

    def _log_bug(self) -> None:
        if times := self._limit.admit("failed"):
            _log.failure(
                "{place}: a datagram could not be handled ({times} such since the last line)",
                place=self._place,
                times=times,
            )


class WildcardUdpPort(UdpPort):
    """A UdpPort on 0.0.0.0: what is asked at one of this machine's addresses is answered from that address.

    The kernel would choose the address of the route back, from which the asking side takes nothing if its socket is
    connected.
    """

    def __init__(self, reactor: IReactor, place: HostAddress, protocol: DatagramProtocol) -> None:
        super().__init__(reactor, place, protocol)
        self._receive = self._receive_asked
        self._source: list[tuple[int, int, bytes]] = []  # the control message that sets the source of an answer

    def _receive_asked(self, size: int) -> tuple[bytes, tuple[str, int]]:
        data, control, _flags, address = self._socket.recvmsg(size, _PKTINFO_SPACE)
        self._source = [(level, kind, _from_asked(info)) for level, kind, info in control if kind == _IP_PKTINFO]
        return data, address

    def write(self, packet: bytes, addr: tuple[str, int] | None = None) -> None:
        """As UdpPort's, from the address that the datagram in hand was sent to."""
        if addr is None:
            return super().write(packet)
        try:
            self._socket.sendmsg([packet], self._source, 0, addr)
        except OSError:
            self.unsent += 1


def _from_asked(info: bytes) -> bytes:
    """The control message that sends from where another, of a datagram that has come, was received."""
    _interface, local, _destination = _PKTINFO.unpack(info)
    return _PKTINFO.pack(0, local, bytes(4))


def udp_port(reactor: IReactor, place: HostAddress, protocol: DatagramProtocol) -> UdpPort:
    """The kind of port that the place needs; arguments and errors are those of UdpPort."""
    return (UdpPort if place.ip else WildcardUdpPort)(reactor, place, protocol)


def bound_socket(place: HostAddress) -> socket.socket:
    """A UDP socket bound to a place, non-blocking; raises CannotListen, naming place and reason."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    if not place.ip:
        sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)  # before the first datagram can come
    try:
        sock.bind((format_ip(place.ip), place.port))
    except OSError as error:
        sock.close()
        raise _cannot_listen(place, error.strerror or str(error)) from None
    return sock


def _cannot_listen(place: HostAddress, reason: str) -> CannotListen:
    return CannotListen(f"cannot listen on UDP {place}: {reason}; is another agent running?")


def refuse_taken(place: HostAddress) -> None:
    """Raises CannotListen if a UDP port cannot be bound.

    The port itself is looked up, not tried: a request that comes while it is tried would be lost without a word.
    """
    if place.port < _UNPRIVILEGED:
        bound_socket(place).close()
        return
    bound_socket(HostAddress(place.ip, 0)).close()
    for row in _bound_sockets(place.port):
        ip = int.from_bytes(bytes.fromhex(row[1].partition(":")[0]), sys.byteorder)
        if ip == place.ip or not ip or not place.ip:
            raise _cannot_listen(place, os.strerror(errno.EADDRINUSE))


def _ask_for_buffer(sock: socket.socket) -> int:
    """Asks for a large receive buffer, past the system's limit if we may; returns the bytes that we got."""
    for option in (getattr(socket, "SO_RCVBUFFORCE", 33), socket.SO_RCVBUF):
        try:
            sock.setsockopt(socket.SOL_SOCKET, option, RECEIVE_BUFFER)
        except OSError:
            continue
        break
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2  # Linux returns twice what it gives


def dropped_datagrams(port: int) -> int:
    """Datagrams that the kernel dropped at a UDP port because its buffer was full; 0 where /proc does not say."""
    return sum(int(row[12]) for row in _bound_sockets(port))


def _bound_sockets(port: int) -> list[list[str]]:
    """The rows of /proc/net/udp (proc_net_udp in the kernel's documentation) of a port; none where it is missing."""
    try:
        with open("/proc/net/udp") as table:
            rows = [line.split() for line in table][1:]
    except OSError:
        return []
    return [row for row in rows if int(row[1].rpartition(":")[2], 16) == port]
