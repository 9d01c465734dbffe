"""What an agent holds, for the tools that show it: its modules, their hosts, states and counts."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from lars.client.address import SHARDS, AgentAddress
from lars.client.errors import AgentUnavailable
from lars.client.queries import MAX_DATAGRAM
from lars.client.udp_socket import UdpSocket
from lars.route import HostAddress, ModuleId
from lars.wire.frames import FrameError, decode_datagram
from lars.wire.lars_pb2 import ModuleListRequest, ModuleListResponse
from lars.wire.messages import MessageId, decode_message, encode_message

COUNT_BITS = 0xFFFFFFFF
"""Counts run on, and start over at 2**32."""


@dataclass(frozen=True, slots=True)
class HostSnapshot:
    """One host of a module as the agent holds it; `succ` and `err` are running counts, modulo 2**32."""

    module: ModuleId
    address: HostAddress
    overloaded: bool
    succ: int
    err: int


class ModuleListQuery:
    """A query for one page of a shard's modules, from the one at `offset` on."""

    __slots__ = ("_offset", "_seq", "datagrams")

    max_size = MAX_DATAGRAM

    def __init__(self, seq: int, offset: int) -> None:
        self._seq = seq & COUNT_BITS
        self._offset = offset
        request = ModuleListRequest(seq=self._seq, offset=offset)
        self.datagrams = (encode_message(MessageId.MODULE_LIST_REQUEST, request),)

    def answer(self, datagram: bytes) -> ModuleListResponse | None:
        """The page, or None if the datagram does not answer this query."""
        try:
            message = decode_message(*decode_datagram(datagram))
        except FrameError:
            return None
        if isinstance(message, ModuleListResponse) and (message.seq, message.offset) == (self._seq, self._offset):
            return message
        return None


def list_hosts(agent: AgentAddress, timeout: float) -> Iterator[HostSnapshot]:
    """Every host of every module of the agent, shard by shard; of very large modules, the first ones.

    Raises AgentUnavailable if a shard does not answer within `timeout` seconds.
    """
    for number in range(SHARDS):
        yield from _list_shard(AgentAddress(agent.ip, agent.port + number), timeout)


def _list_shard(peer: AgentAddress, timeout: float) -> Iterator[HostSnapshot]:
    advice = "is lars-agent running there, and of this version?"
    try:
        sock = UdpSocket(peer, timeout / 2)
        try:
            offset = 0
            while True:
                page = sock.ask(ModuleListQuery(sock.next_seq(), offset), time.monotonic() + timeout)
                if page is None:
                    raise AgentUnavailable(f"the agent at {peer} does not list its modules: {advice}")
                if not page.module:
                    return
                for module in page.module:
                    key = ModuleId(module.modid, module.cmdid)
                    for host in module.host:
                        yield HostSnapshot(key, HostAddress(host.ip, host.port), host.overload, host.succ, host.err)
                offset += len(page.module)
        finally:
            sock.close()
    except OSError as error:
        raise AgentUnavailable(f"the agent at {peer} cannot be reached ({error.strerror}): {advice}") from None
