"""What an agent holds, for the tools that show it: modules, hosts, states, counts, and how it would choose."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lars.balancing.host import HostExplanation, HostState
from lars.client.address import SHARDS, AgentAddress
from lars.client.errors import AgentUnavailable
from lars.client.queries import MAX_DATAGRAM
from lars.client.udp_socket import UdpSocket
from lars.host_condition import Condition, condition_of
from lars.route import HostAddress, ModuleId, shard_of
from lars.wire.frames import FrameError, decode_datagram
from lars.wire.lars_pb2 import ExplainedHost, ExplainRequest, ExplainResponse, ModuleListRequest, ModuleListResponse
from lars.wire.messages import MessageId, decode_message, encode_message

COUNT_BITS = 0xFFFFFFFF
"""Counts run on, and start over at 2**32."""


_ADVICE = "is lars-agent running there, and of this version?"


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


@dataclass(frozen=True, slots=True)
class ModuleExplanation:
    """The policy of a module, by its name, and what it knows of each host; no hosts if the agent knows none."""

    policy: str
    hosts: list[HostExplanation]


class ExplainQuery:
    """A query for one page of a module's explanation, from the host at `offset` on."""

    __slots__ = ("_asked", "datagrams")

    max_size = MAX_DATAGRAM

    def __init__(self, seq: int, module: ModuleId, offset: int) -> None:
        self._asked = (seq & COUNT_BITS, *module, offset)
        request = ExplainRequest(seq=seq & COUNT_BITS, modid=module.modid, cmdid=module.cmdid, offset=offset)
        self.datagrams = (encode_message(MessageId.EXPLAIN_REQUEST, request),)

    def answer(self, datagram: bytes) -> ExplainResponse | None:
        """The page, or None if the datagram does not answer this query."""
        try:
            message = decode_message(*decode_datagram(datagram))
        except FrameError:
            return None
        if not isinstance(message, ExplainResponse):
            return None
        return message if (message.seq, message.modid, message.cmdid, message.offset) == self._asked else None


def explain_module(agent: AgentAddress, module: ModuleId, timeout: float) -> ModuleExplanation:
    """How the agent would choose a host of the module now; it is asked page by page.

    Raises AgentUnavailable if the module's shard does not answer within `timeout` seconds.
    """
    return explain_modules(agent, [module], timeout)[module]


def explain_modules(
    agent: AgentAddress, modules: Iterable[ModuleId], timeout: float
) -> dict[ModuleId, ModuleExplanation]:
    """How the agent would choose a host of each module now.

    Raises AgentUnavailable if a shard does not answer within `timeout` seconds.
    """
    by_shard: dict[int, list[ModuleId]] = {}
    for module in modules:
        by_shard.setdefault(shard_of(module, SHARDS), []).append(module)
    found = {}
    for shard, of_shard in by_shard.items():
        peer = AgentAddress(agent.ip, agent.port + shard)
        with _inspecting(peer, timeout) as sock:
            for module in of_shard:
                explanation = _explain(sock, module, timeout)
                if explanation is None:
                    raise AgentUnavailable(f"the agent at {peer} does not explain its choices: {_ADVICE}")
                found[module] = explanation
    return found


def _explain(sock: UdpSocket, module: ModuleId, timeout: float) -> ModuleExplanation | None:
    """None if a page does not come in time."""
    hosts: list[HostExplanation] = []
    while True:
        page = sock.ask(ExplainQuery(sock.next_seq(), module, len(hosts)), time.monotonic() + timeout)
        if page is None:
            return None
        hosts += map(_explained, page.host)
        if not page.host or len(hosts) >= page.total:
            return ModuleExplanation(page.policy, hosts)


def _explained(host: ExplainedHost) -> HostExplanation:
    return HostExplanation(
        HostAddress(host.ip, host.port),
        _state(host),
        host.share,
        host.calls,
        host.failures,
        host.failures_in_a_row,
        host.in_flight if host.HasField("in_flight") else None,
        host.latency if host.HasField("latency") else None,
        host.next_probe if host.HasField("next_probe") else None,
        host.why,
        condition_of(host.condition, Condition.EJECTED if host.ejected else Condition.HEALTHY),
        host.reason,
    )


def _state(host: ExplainedHost) -> HostState:
    if not host.ejected:
        return HostState.HEALTHY
    return HostState.UNHEALTHY if host.condition == Condition.UNHEALTHY else HostState.EJECTED


@contextmanager
def _inspecting(peer: AgentAddress, timeout: float) -> Iterator[UdpSocket]:
    """A socket to a shard; raises AgentUnavailable if there is none there."""
    try:
        sock = UdpSocket(peer, timeout / 2)
        try:
            yield sock
        finally:
            sock.close()
    except OSError as error:
        raise AgentUnavailable(f"the agent at {peer} cannot be reached ({error.strerror}): {_ADVICE}") from None


def list_hosts(agent: AgentAddress, timeout: float) -> Iterator[HostSnapshot]:
    """Every host of every module of the agent, shard by shard; of very large modules, the first ones.

    Raises AgentUnavailable if a shard does not answer within `timeout` seconds.
    """
    for number in range(SHARDS):
        yield from _list_shard(AgentAddress(agent.ip, agent.port + number), timeout)


def _list_shard(peer: AgentAddress, timeout: float) -> Iterator[HostSnapshot]:
    with _inspecting(peer, timeout) as sock:
        offset = 0
        while True:
            page = sock.ask(ModuleListQuery(sock.next_seq(), offset), time.monotonic() + timeout)
            if page is None:
                raise AgentUnavailable(f"the agent at {peer} does not list its modules: {_ADVICE}")
            if not page.module:
                return
            for module in page.module:
                key = ModuleId(module.modid, module.cmdid)
                for host in module.host:
                    yield HostSnapshot(key, HostAddress(host.ip, host.port), host.overload, host.succ, host.err)
            offset += len(page.module)
