"""A shard's UDP port, read directly by the reactor (docs/design/agent.md, UDP port).

Twisted's own UDP port costs more than the answer does: it looks at each address three times, and goes through two
methods and a logging context for each datagram. This one is an IReadDescriptor and nothing else.
"""

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from lars.agent.shard import Shard
from lars.route import HostAddress, format_ip
from lars.runtime.listening import CannotListen

MAX_DATAGRAM = 65_536
"""Bytes read at once: more than any datagram has, so that none is cut."""

TURN = 16
"""Datagrams read in one turn of the reactor, so that the other readers get theirs."""

RECEIVE_BUFFER = 4 * 1024 * 1024
"""Bytes asked of the kernel for datagrams that wait: about a fifth of a second of full load."""


@implementer(IReadDescriptor)
class ShardPort:
    """One UDP port: gives each datagram to the shard and sends its answer back."""

    def __init__(self, reactor: Any, place: HostAddress, shard: Shard, now: Callable[[], float]) -> None:
        self._reactor = reactor
        self._place = place
        self._shard = shard
        self._now = now
        self._socket = _bound(place)
        self.unsent = 0
        """Answers that the kernel did not take."""
        self.receive_buffer = _ask_for_buffer(self._socket)
        """Bytes that the kernel gives, as it counts them."""

    @staticmethod
    def probe(place: HostAddress) -> None:
        """Raises CannotListen if the port is taken or not ours."""
        _bound(place).close()

    @property
    def number(self) -> int:
        """The port's number."""
        return self._place.port

    def start(self) -> None:
        """Starts reading."""
        self._reactor.addReader(self)

    def stop(self) -> None:
        """Stops reading and frees the port."""
        self._reactor.removeReader(self)
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def logPrefix(self) -> str:
        return f"UDP {self._place}"

    def connectionLost(self, reason: Failure) -> None:
        """Called by the reactor if the descriptor turns out to be bad; nothing is connected here."""

    def doRead(self) -> None:
        receive, send, answer_to = self._socket.recvfrom, self._socket.sendto, self._shard.datagram
        now = self._now()
        try:
            for _ in range(TURN):
                data, address = receive(MAX_DATAGRAM)
                answer = answer_to(data, now)
                if answer is not None:
                    try:
                        send(answer, address)
                    except OSError:
                        self.unsent += 1
        except BlockingIOError:
            return  # all is read
        except OSError:
            return  # such as an ICMP error of an earlier answer: the next read works


def _bound(place: HostAddress) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        sock.bind((format_ip(place.ip), place.port))
    except OSError as error:
        sock.close()
        reason = error.strerror or str(error)
        raise CannotListen(f"cannot listen on UDP {place}: {reason}; is another agent running?") from None
    return sock


def _ask_for_buffer(sock: socket.socket) -> int:
    """Asks for a large receive buffer, past the system's limit if we may; the bytes that we got."""
    for option in (getattr(socket, "SO_RCVBUFFORCE", 33), socket.SO_RCVBUF):
        try:
            sock.setsockopt(socket.SOL_SOCKET, option, RECEIVE_BUFFER)
        except OSError:
            continue
        break
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2  # Linux tells twice what it gives


def dropped_datagrams(port: int) -> int:
    """Datagrams that the kernel dropped at a UDP port because nobody read them in time; 0 where it does not tell."""
    try:
        with open("/proc/net/udp") as table:
            rows = [line.split() for line in table][1:]
    except OSError:
        return 0
    return sum(int(row[12]) for row in rows if int(row[1].rpartition(":")[2], 16) == port)
