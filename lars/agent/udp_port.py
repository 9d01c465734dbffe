"""A UDP port for many small datagrams, read directly by the reactor (docs/design/agent.md, UDP port).

Twisted's own UDP port costs more than the answer does: it checks each address three times, and passes two methods and
a logging context for each datagram. This one drives the same DatagramProtocol for less.
"""

import socket

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
        self.unsent = 0
        """Answers that the kernel did not take."""
        self.receive_buffer = _ask_for_buffer(self._socket)
        """Bytes of receive buffer that the kernel gave."""

    @property
    def number(self) -> int:
        """The port's number."""
        return self._place.port

    def startListening(self) -> None:
        """Starts reading."""
        self._protocol.makeConnection(self)
        self._reactor.addReader(self)

    def stopListening(self) -> Deferred[None]:
        """Stops reading and frees the port."""
        self._reactor.removeReader(self)
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
        receive, received = self._socket.recvfrom, self._protocol.datagramReceived
        try:
            for _ in range(READ_BUDGET):
                data, address = receive(MAX_DATAGRAM)
                try:
                    received(data, address)
                except Exception:
                    self._log_bug()
        except OSError:
            return  # all is read, or an ICMP error of an earlier answer: the next read works

    def _log_bug(self) -> None:
        if times := self._limit.admit("failed"):
            _log.failure(
                "{place}: a datagram could not be handled ({times} such since the last line)",
                place=self._place,
                times=times,
            )


def bound_socket(place: HostAddress) -> socket.socket:
    """A UDP socket bound to a place, non-blocking; raises CannotListen, naming place and reason."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        sock.bind((format_ip(place.ip), place.port))
    except OSError as error:
        sock.close()
        reason = error.strerror or str(error)
        raise CannotListen(f"cannot listen on UDP {place}: {reason}; is another agent running?") from None
    return sock


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
    try:
        with open("/proc/net/udp") as table:
            rows = [line.split() for line in table][1:]
    except OSError:
        return 0
    return sum(int(row[12]) for row in rows if int(row[1].rpartition(":")[2], 16) == port)
