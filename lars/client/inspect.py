"""What the agent itself holds, for the tools that show it: its modules, their hosts, states and counts."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from lars.client.address import SHARDS, AgentAddress
from lars.client.errors import AgentUnavailable
from lars.client.link import Link
from lars.client.questions import MAX_DATAGRAM
from lars.route import HostAddress, ModuleId
from lars.wire.frames import FrameError, decode_datagram
from lars.wire.lars_pb2 import ModuleListRequest, ModuleListResponse
from lars.wire.messages import MessageId, decode_message, encode_message

COUNT_BITS = 0xFFFFFFFF
"""Counts run on and begin again at 2**32."""


@dataclass(frozen=True, slots=True)
class HostSeen:
    """One host of a module as the agent holds it; `succ` and `err` are running counts, modulo 2**32."""

    module: ModuleId
    address: HostAddress
    overloaded: bool
    succ: int
    err: int


class ListQuestion:
    """One page of a shard's modules."""

    __slots__ = ("_offset", "_seq", "datagrams")

    most = MAX_DATAGRAM

    def __init__(self, seq: int, offset: int) -> None:
        self._seq = seq & COUNT_BITS
        self._offset = offset
        request = ModuleListRequest(seq=self._seq, offset=offset)
        self.datagrams = (encode_message(MessageId.MODULE_LIST_REQUEST, request),)

    def answer(self, datagram: bytes) -> ModuleListResponse | None:
        try:
            message = decode_message(*decode_datagram(datagram))
        except FrameError:
            return None
        if isinstance(message, ModuleListResponse) and (message.seq, message.offset) == (self._seq, self._offset):
            return message
        return None


def hosts_seen(agent: AgentAddress, timeout: float) -> Iterator[HostSeen]:
    """Every host of every module that the agent holds; of very large modules, the first ones.

    Raises AgentUnavailable when a shard does not answer within `timeout` seconds.
    """
    for number in range(SHARDS):
        yield from _shard(AgentAddress(agent.ip, agent.port + number), timeout)


def _shard(peer: AgentAddress, timeout: float) -> Iterator[HostSeen]:
    advice = "is lars-agent running there, and of this version?"
    try:
        link = Link(peer, timeout / 2)
        try:
            offset = 0
            while True:
                page = link.ask(ListQuestion(link.next_seq(), offset), time.monotonic() + timeout)
                if page is None:
                    raise AgentUnavailable(f"the agent at {peer} does not list its modules: {advice}")
                if not page.module:
                    return
                for module in page.module:
                    key = ModuleId(module.modid, module.cmdid)
                    for host in module.host:
                        yield HostSeen(key, HostAddress(host.ip, host.port), host.overload, host.succ, host.err)
                offset += len(page.module)
        finally:
            link.close()
    except OSError as error:
        raise AgentUnavailable(f"the agent at {peer} cannot be reached ({error.strerror}): {advice}") from None
