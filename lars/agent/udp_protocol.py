"""A shard as a Twisted DatagramProtocol: bytes to the codec, its answer to the transport."""

from collections.abc import Callable
from typing import Any

from twisted.internet.protocol import DatagramProtocol

from lars.agent.datagrams import DatagramCodec
from lars.runtime.admission import Admission


class ShardProtocol(DatagramProtocol):
    """Answers business processes on one UDP port, on `reactor.listenUDP` or on a UdpPort.

    Args:
        codec: the shard's codec.
        now: the clock, in seconds, monotonic.
    """

    noisy = False

    def __init__(self, codec: DatagramCodec, now: Callable[[], float]) -> None:
        self._answer = codec.answer
        self._codec = codec
        self._now = now

    def startProtocol(self) -> None:
        """Called when the transport is there."""
        self._codec.send = self.transport.write  # type: ignore[union-attr]  # it has just been set

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """Answers one datagram; malformed ones get no answer."""
        answer = self._answer(datagram, self._now(), addr[1], addr)
        if answer is not None:
            self.transport.write(answer, addr)  # type: ignore[union-attr]  # there is one while datagrams come


class GuardedShardProtocol(ShardProtocol):
    """A ShardProtocol for the addresses that `admission` admits."""

    def __init__(self, codec: DatagramCodec, now: Callable[[], float], admission: Admission) -> None:
        super().__init__(codec, now)
        self._admission = admission

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        if self._admission.admits(addr[0]):
            super().datagramReceived(datagram, addr)
