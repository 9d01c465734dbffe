"""What a client sends to the agent, and which answers it believes; sans-I/O, the same for every client (design 4, 7).

A question is a datagram to send to the module's shard and a test of what comes back. Late answers, answers to another
question and bytes that are no message are None: the client goes on waiting.
"""

from dataclasses import dataclass
from typing import Protocol, TypeVar

from lars.client.errors import AgentUnavailable, NoSuchModule, Overloaded
from lars.route import MAX_PORT, HostAddress, ModuleId, format_ip
from lars.wire.frames import FrameError, decode_datagram
from lars.wire.lars_pb2 import (
    GetHostRequest,
    GetHostResponse,
    GetRouteRequest,
    GetRouteResponse,
    HostInfo,
    ReportRequest,
)
from lars.wire.messages import Message, MessageId, Retcode, decode_message, encode_message

T_co = TypeVar("T_co", covariant=True)

MAX_DATAGRAM = 65_536
"""Bytes to make room for when receiving: more than any datagram has."""

_SEQ_BITS = 0xFFFFFFFF
_MAX_RETCODE = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Host:
    """A host to call, and the module that it was chosen for."""

    module: ModuleId
    address: HostAddress

    @property
    def ip(self) -> str:
        """The dotted IPv4 address."""
        return format_ip(self.address.ip)

    @property
    def port(self) -> int:
        return self.address.port

    def __str__(self) -> str:
        return str(self.address)


class Question(Protocol[T_co]):
    """One thing to ask the agent."""

    module: ModuleId
    request: bytes
    """The datagram to send; sending it twice does no harm."""

    def answer(self, datagram: bytes) -> T_co | None:
        """What the datagram answers, or None if it is no answer to this; raises if the agent said no."""


class HostQuestion:
    """Which host to call next. `seq`, modulo 2**32, tells its answer from those to earlier ones on the same socket.

    Its answer raises NoSuchModule, Overloaded or AgentUnavailable where the agent has no host to give.
    """

    __slots__ = ("_seq", "module", "request")

    def __init__(self, module: ModuleId, seq: int) -> None:
        self.module = module
        self._seq = seq & _SEQ_BITS
        request = GetHostRequest(seq=self._seq, modid=module.modid, cmdid=module.cmdid)
        self.request = encode_message(MessageId.GET_HOST_REQUEST, request)

    def answer(self, datagram: bytes) -> Host | None:
        message = _read(datagram, MessageId.GET_HOST_RESPONSE)
        if not isinstance(message, GetHostResponse) or message.seq != self._seq:
            return None
        module = self.module
        if message.modid != module.modid or message.cmdid != module.cmdid:
            return None
        if message.retcode == Retcode.SUCC:
            return _host(module, message.host)
        if message.retcode == Retcode.NOEXIST:
            raise no_such_module(module)
        if message.retcode == Retcode.OVERLOAD:
            raise Overloaded(
                f"every host of module {module} is set aside as failing: try again later; "
                f"`lars status {module.modid} {module.cmdid}` shows their errors"
            )
        raise AgentUnavailable(f"the agent could not choose a host of module {module}: see its log")


class RouteQuestion:
    """All hosts of a module; the answer is empty if the agent knows none. The wire has no seq to match it by."""

    __slots__ = ("module", "request")

    def __init__(self, module: ModuleId) -> None:
        self.module = module
        request = GetRouteRequest(modid=module.modid, cmdid=module.cmdid)
        self.request = encode_message(MessageId.API_GET_ROUTE_REQUEST, request)

    def answer(self, datagram: bytes) -> list[Host] | None:
        message = _read(datagram, MessageId.API_GET_ROUTE_RESPONSE)
        if not isinstance(message, GetRouteResponse) or (message.modid, message.cmdid) != self.module:
            return None
        hosts = (_host(self.module, info) for info in message.host)
        return [host for host in hosts if host is not None]


def encode_report(host: Host, retcode: int, cost: float | None) -> bytes:
    """The datagram that tells how a call went.

    Args:
        host: as the agent gave it.
        retcode: 0 for success; any other number is a failure.
        cost: seconds that the call took, or None if that is not known.
    """
    request = ReportRequest(
        modid=host.module.modid,
        cmdid=host.module.cmdid,
        host=HostInfo(ip=host.address.ip, port=host.address.port),
        retcode=min(max(retcode, -_MAX_RETCODE), _MAX_RETCODE),
        cost_ms=0 if cost is None else round(min(max(cost, 0.0) * 1000, _SEQ_BITS)),
    )
    return encode_message(MessageId.REPORT_REQUEST, request)


def no_such_module(module: ModuleId) -> NoSuchModule:
    """The agent knows no host of the module."""
    return NoSuchModule(
        f"module {module} has no hosts that the agent knows of: add one with `lars route add {module.modid} "
        f"{module.cmdid} IP:PORT`, or see in the agent's log whether it reaches lars-dns"
    )


def _read(datagram: bytes, expected: MessageId) -> Message | None:
    try:
        message_id, body = decode_datagram(datagram)
        return decode_message(message_id, body) if message_id == expected else None
    except FrameError:
        return None


def _host(module: ModuleId, info: HostInfo) -> Host | None:
    if info.ip and 0 < info.port <= MAX_PORT:
        return Host(module, HostAddress(info.ip, info.port))
    return None
