"""The datagrams of a client: queries with their answers, and reports (docs/design/wire.md, messages). Sans-I/O.

A query is one or two datagrams for the module's shard, and a parser of the answer. For late answers, answers to
another query and bytes that are no message the parser returns None, and the client goes on waiting.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from lars.balancing.gathered import Gathered
from lars.client.errors import AgentUnavailable, NoSuchModule, Overloaded
from lars.client.host import Host
from lars.route import MAX_PORT, HostAddress, ModuleId
from lars.wire.frames import HEADER, HEADER_SIZE, FrameError, decode_datagram
from lars.wire.lars_pb2 import (
    GetHostRequest,
    GetHostResponse,
    GetRouteRequest,
    GetRouteResponse,
    HostInfo,
    HostSuccesses,
    ReportBatch,
    ReportRequest,
    RouteStateRequest,
    RouteStateResponse,
)
from lars.wire.messages import Message, MessageId, Retcode, decode_message, encode_message

T_co = TypeVar("T_co", covariant=True)

MAX_DATAGRAM = 65_536
"""Size of a receive buffer in bytes: more than any datagram has."""

_MAX_HOST_ANSWER = 512
"""Size of the receive buffer for a query for a host alone: more than any agent's answer has."""

SEQ_BITS = 0xFFFFFFFF
"""seq is a uint32."""

_MAX_RETCODE = 2**31 - 1

_MAX_COST = 2**63 - 1

MAX_SILENT = 100
"""Silent hosts named in one batch, at most."""

_BATCH_HOSTS = 1_500
"""Hosts in one batch: as many as fit in a datagram."""

_MAX_ENCODED_ANSWERS = 8_192
"""Encoded answers kept for one module: twice as many as a module has hosts."""


class Query(Protocol[T_co]):
    """A query to the agent."""

    @property
    def datagrams(self) -> Sequence[bytes]:
        """What to send, in this order; harmless if sent twice."""

    @property
    def max_size(self) -> int:
        """Size of the receive buffer in bytes: a longer datagram is no answer, and may be truncated."""

    def answer(self, datagram: bytes) -> T_co | None:
        """The answer, or None if the datagram does not answer this query; raises the agent's refusal."""


class ModuleEncoding:
    """A module's encoded get_host, and the answers to it seen before: the same bytes are not parsed twice."""

    __slots__ = ("_answers", "_name", "module")

    def __init__(self, module: ModuleId) -> None:
        self.module = module
        self._name = GetHostRequest(modid=module.modid, cmdid=module.cmdid).SerializeToString()
        self._answers: dict[bytes, Host] = {}

    def get_host(self, seq: bytes, key: int = 0) -> bytes:
        """The request with an encoded seq."""
        if key:
            seq += GetHostRequest(key=key).SerializeToString()  # the order of fields makes no difference
        return HEADER.pack(MessageId.GET_HOST_REQUEST, len(seq) + len(self._name)) + seq + self._name

    def host(self, datagram: bytes, seq: bytes) -> Host | None:
        """The host of an answer that was remembered, whatever its seq was; None if it must be parsed."""
        size = len(datagram)
        if size < len(_ANSWER_STARTS) and datagram.startswith(_ANSWER_STARTS[size] + seq):
            return self._answers.get(datagram[HEADER_SIZE + len(seq) :])
        return None

    def remember(self, datagram: bytes, seq: bytes, host: Host) -> None:
        """Keeps a parsed answer of this module."""
        start = HEADER_SIZE + len(seq)
        if datagram[HEADER_SIZE:start] == seq:
            if len(self._answers) >= _MAX_ENCODED_ANSWERS:
                self._answers.clear()
            self._answers[datagram[start:]] = host


_ANSWER_STARTS = [HEADER.pack(MessageId.GET_HOST_RESPONSE, max(0, n - HEADER_SIZE)) for n in range(128)]
"""By length of the datagram: the header of an answer of that length. Longer ones are parsed."""

Answered = Callable[[RouteStateResponse | None, Host | None], Host | None]
"""Called with the route state that the agent sent before its answer, or None if it sent none, and with the host that
it chose, or None if it refused. Returns the host to call."""


class HostQuery:
    """A query for the host to call next. `seq`, modulo 2**32, distinguishes it from others on the same socket.

    With a `version` it asks for the module's route state, too, in a first datagram: the agent answers in order, so
    that the state arrives before the host. The version is that of the state that the client has, 0 for none. `key` is
    what the call is about, 0 for none.
    """

    __slots__ = ("_answered", "_encoding", "_seq", "_state", "datagrams", "max_size", "seq")

    def __init__(
        self,
        encoding: ModuleEncoding,
        seq: int,
        key: int = 0,
        answered: Answered | None = None,
        version: int | None = None,
    ) -> None:
        self._encoding = encoding
        self._answered = answered
        self._state: RouteStateResponse | None = None
        self.seq = seq & SEQ_BITS
        self._seq = _encoded_seq(self.seq)
        self.datagrams: tuple[bytes, ...] = (encoding.get_host(self._seq, key),)
        self.max_size = _MAX_HOST_ANSWER
        if version is not None:
            self.max_size = MAX_DATAGRAM
            module = encoding.module
            request = RouteStateRequest(seq=self.seq, modid=module.modid, cmdid=module.cmdid, version=version)
            self.datagrams = (encode_message(MessageId.ROUTE_STATE_REQUEST, request), *self.datagrams)

    @property
    def module(self) -> ModuleId:
        """The module asked about."""
        return self._encoding.module

    def answer(self, datagram: bytes) -> Host | None:
        """The host, or None; raises NoSuchModule, Overloaded or AgentUnavailable if the agent has no host to give."""
        host = self._encoding.host(datagram, self._seq) or self._parsed(datagram)
        if self._answered is not None and host is not None:
            return self._answered(self._state, host)
        return host

    def _parsed(self, datagram: bytes) -> Host | None:
        message = _read(datagram, (MessageId.GET_HOST_RESPONSE, MessageId.ROUTE_STATE_RESPONSE))
        if not isinstance(message, GetHostResponse | RouteStateResponse) or message.seq != self.seq:
            return None
        if (message.modid, message.cmdid) != self.module:
            return None
        if isinstance(message, RouteStateResponse):
            self._state = message
            return None
        if message.retcode != Retcode.SUCC:
            if self._answered is not None:
                self._answered(self._state, None)
            raise _refusal(self.module, message.retcode)
        host = host_of(self.module, message.host)
        if host is not None:
            self._encoding.remember(datagram, self._seq, host)
        return host


def _refusal(module: ModuleId, retcode: int) -> NoSuchModule | Overloaded | AgentUnavailable:
    if retcode == Retcode.NOEXIST:
        return no_such_module(module)
    if retcode == Retcode.OVERLOAD:
        return overloaded(module)
    return AgentUnavailable(f"the agent could not choose a host of module {module}: see its log")


class RouteQuery:
    """A query for all hosts of a module.

    The message has no seq: use a socket of its own, which receives no answer to an earlier query.
    """

    __slots__ = ("_module", "datagrams")

    max_size = MAX_DATAGRAM

    def __init__(self, module: ModuleId) -> None:
        self._module = module
        request = GetRouteRequest(modid=module.modid, cmdid=module.cmdid)
        self.datagrams = (encode_message(MessageId.API_GET_ROUTE_REQUEST, request),)

    def answer(self, datagram: bytes) -> list[Host] | None:
        """The hosts, none if the agent knows none; or None if the datagram does not answer this query."""
        message = _read(datagram, (MessageId.API_GET_ROUTE_RESPONSE,))
        if not isinstance(message, GetRouteResponse) or (message.modid, message.cmdid) != self._module:
            return None
        return hosts_of(self._module, message.host)


def seq_of(datagram: bytes) -> int | None:
    """The seq of an answer, which is that of its query; None if the datagram has none."""
    message = _read(datagram, (MessageId.GET_HOST_RESPONSE, MessageId.ROUTE_STATE_RESPONSE))
    return message.seq if isinstance(message, GetHostResponse | RouteStateResponse) else None


def encode_report(host: Host, retcode: int, cost: float | None) -> bytes:
    """The datagram that reports a call's result.

    Args:
        host: as the agent gave it.
        retcode: 0 for success; any other number is a failure.
        cost: seconds that the call took, or None if that is not known.
    """
    report = ReportRequest(
        modid=host.module.modid,
        cmdid=host.module.cmdid,
        host=HostInfo(ip=host.address.ip, port=host.address.port),
        retcode=max(-_MAX_RETCODE, min(_MAX_RETCODE, retcode)),
    )
    if cost is not None:
        report.cost_ms = int(min(max(cost, 0.0) * 1000, SEQ_BITS))
    return encode_message(MessageId.REPORT_REQUEST, report)


def encode_batches(
    module: ModuleId,
    successes: Mapping[HostAddress, Gathered],
    watch: float = 0.0,
    silent: Sequence[HostAddress] = (),
    before_failure: bool = False,
) -> list[bytes]:
    """The datagrams that report how many calls to each host succeeded, and what they cost.

    With `watch` there is at least one: for so many seconds the sender takes the failures of other processes' calls to
    the module, and ejections. `silent` hosts have not answered it for much longer than calls take. Calls
    `before_failure` came before one that another process has reported.
    """
    results = [
        HostSuccesses(
            ip=address.ip,
            port=address.port,
            succ=min(gathered.calls, SEQ_BITS),
            cost_us=min(round(gathered.cost * 1_000_000), _MAX_COST),
            timed=min(gathered.timed, SEQ_BITS),
        )
        for address, gathered in successes.items()
    ]
    return [
        encode_message(
            MessageId.REPORT_BATCH,
            ReportBatch(
                modid=module.modid,
                cmdid=module.cmdid,
                result=results[start : start + _BATCH_HOSTS],
                before_failure=before_failure,
                watch_ms=0 if start else round(watch * 1000),
                silent=[] if start else [HostInfo(ip=host.ip, port=host.port) for host in silent[:MAX_SILENT]],
            ),
        )
        for start in range(0, max(len(results), 1 if watch or silent else 0), _BATCH_HOSTS)
    ]


def notice_of(datagram: bytes) -> ReportRequest | ReportBatch | RouteStateResponse | None:
    """What the agent sends without a request: another process's failure or silent hosts, or a changed state."""
    message = _read(datagram, (MessageId.REPORT_REQUEST, MessageId.REPORT_BATCH, MessageId.ROUTE_STATE_RESPONSE))
    return message if isinstance(message, ReportRequest | ReportBatch | RouteStateResponse) else None


def overloaded(module: ModuleId) -> Overloaded:
    """The error to raise if the policy lets no call be made."""
    return Overloaded(
        f"module {module} takes no call now: load is shed because most calls fail by being slow or, with the policy "
        f"classic, every host is ejected; try again later, `lars explain {module.modid} {module.cmdid}` shows why"
    )


def no_such_module(module: ModuleId) -> NoSuchModule:
    """The error to raise if the agent knows no host of the module."""
    return NoSuchModule(
        f"module {module} has no hosts that the agent knows of: add one with `lars route add {module.modid} "
        f"{module.cmdid} IP:PORT`, or check the agent's log for its connection to lars-dns"
    )


def hosts_of(module: ModuleId, infos: Iterable[HostInfo]) -> list[Host]:
    """Those hosts that can be called."""
    return [host for info in infos if (host := host_of(module, info)) is not None]


def host_of(module: ModuleId, info: HostInfo) -> Host | None:
    """The host, or None if its address cannot be called."""
    if info.ip and 0 < info.port <= MAX_PORT:
        return Host(module, HostAddress(info.ip, info.port))
    return None


def _encoded_seq(seq: int) -> bytes:
    """The field seq of a message; 0 is left out, as in protobuf."""
    if seq >= 1 << 28:  # the longest varint of 32 bits
        return bytes(
            (8, seq & 127 | 128, seq >> 7 & 127 | 128, seq >> 14 & 127 | 128, seq >> 21 & 127 | 128, seq >> 28)
        )
    if not seq:
        return b""
    out = bytearray(b"\x08")
    while seq > 127:
        out.append(seq & 127 | 128)
        seq >>= 7
    out.append(seq)
    return bytes(out)


def _read(datagram: bytes, expected: Sequence[MessageId]) -> Message | None:
    try:
        message_id, body = decode_datagram(datagram)
        return decode_message(message_id, body) if message_id in expected else None
    except FrameError:
        return None
