"""A shard's UDP port: datagrams to the shard's logic, its answers back."""

from collections.abc import Callable

from twisted.internet.protocol import DatagramProtocol

from lars.agent.shard import Shard

MAX_DATAGRAM = 65_536
"""Bytes asked of the system for one datagram: more than any can have, so that none is cut."""


class ShardProtocol(DatagramProtocol):
    """One UDP port of the agent."""

    noisy = False

    def __init__(self, shard: Shard, now: Callable[[], float]) -> None:
        self._shard = shard
        self._now = now

    def datagramReceived(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._shard.datagram(data, self._now())
        if answer is not None and self.transport is not None:
            self.transport.write(answer, addr)
