"""The codec of a shard's datagrams: a datagram in, calls of the directory, an answer out.

Pure: `now` (seconds, monotonic) is an argument. Two ways lead to each answer. The short way recognizes a get_host by
the bytes that name its module, and a report of a success by all its bytes, once the long way has seen them; it parses
and encodes nothing. The long way uses protobuf. Both do the same; a get_host with a key always takes the long way.
See docs/design/agent.md, datagrams.
"""

from collections.abc import Callable, Iterable

from lars.agent.directory import Directory
from lars.agent.encodings import module_fields
from lars.agent.explain import explain_page
from lars.agent.module import Module, RoutedHost
from lars.agent.module_list import module_page
from lars.agent.watchers import Address, NoticeBudget
from lars.balancing.gathered import Gathered
from lars.route import HostAddress, ModuleId
from lars.wire.frames import HEADER, HEADER_SIZE, MAX_DATAGRAM_BODY, FrameError, decode_datagram, encode_frame
from lars.wire.lars_pb2 import (
    ExplainRequest,
    GetHostRequest,
    GetHostResponse,
    GetRouteRequest,
    GetRouteResponse,
    HostInfo,
    ModuleListRequest,
    ReportBatch,
    ReportRequest,
    RouteStateRequest,
    RouteStateResponse,
)
from lars.wire.messages import MessageId, Retcode, decode_message, encode_message

MAX_KNOWN_REPORTS = 400_000
"""Datagrams that report a success and are recognized without parsing, at most."""

LONGEST_KNOWN_REPORT = 64
"""Bytes of such a datagram, at most; those of clients have half as many."""

LONGEST_STATE_DIR = 255
"""Characters of the name of a state folder that clients are sent."""

_GET_HOST_HEADERS = [HEADER.pack(MessageId.GET_HOST_REQUEST, max(0, n - HEADER_SIZE)) for n in range(64)]
"""By length of the datagram: how a get_host of that length begins. Longer ones take the long way."""
_ANSWER_HEADERS = [HEADER.pack(MessageId.GET_HOST_RESPONSE, n) for n in range(128)]
"""By length of the body: how its answer begins."""


class DatagramCodec:
    """Answers the datagrams of one shard from its directory, which has one codec only: hosts keep its encodings.

    Args:
        directory: the shard's.
        state_dir: where the agent saves routes, which clients look for there; empty for nowhere.
    """

    def __init__(self, directory: Directory, state_dir: str = "") -> None:
        self._directory = directory
        self._state_dir = RouteStateResponse(
            state_dir=state_dir if len(state_dir) <= LONGEST_STATE_DIR else ""
        ).SerializeToString()
        self._by_fields: dict[bytes, Module] = {}  # modid and cmdid as a get_host holds them
        self._known_reports: dict[bytes, RoutedHost] = {}  # whole datagrams
        self.malformed = 0
        """Datagrams that are no request of a client."""
        self.send: Callable[[bytes, Address], None] = _to_nobody
        """Sends what is no answer: a datagram to a process that watches a module."""
        self._budget = NoticeBudget()
        directory.add_listener(self)

    def answer(self, data: bytes, now: float, source: int = 0, address: Address | None = None) -> bytes | None:
        """The answer to a datagram, or None where there is none. What is no request is counted and dropped.

        Args:
            data: the datagram.
            now: when it has come.
            source: the port that it came from; 0 where that does not matter.
            address: IP and port that it came from; None where nothing can be sent there.
        """
        host = self._known_reports.get(data)
        if host is not None:
            if host.module.reporter != source:
                host.module.heard(source, now)
            self._directory.report_success(host, now)
            return None
        size = len(data)
        if 10 < size < 64 and data[8] == 8 and data.startswith(_GET_HOST_HEADERS[size]):
            # After the header of 8 bytes: the tag of seq, its varint of one to five bytes, and the module's fields.
            end = 10
            while end < size and data[end - 1] > 127:
                end += 1
            module = self._by_fields.get(data[end:])
            if module is not None and end < 15:
                host = self._directory.pick(module, 0, now, source)
                if host is not None:
                    return _ANSWER_HEADERS[end - 8 + len(host.answer)] + data[8:end] + host.answer
                return self._no_host(module, GetHostRequest.FromString(data[8:]))
        return self._parsed(data, now, source, address)

    def _parsed(self, data: bytes, now: float, source: int, address: Address | None) -> bytes | None:
        """The long way."""
        try:
            message_id, body = decode_datagram(data)
            message = decode_message(message_id, body)
            if message_id == MessageId.GET_HOST_REQUEST and isinstance(message, GetHostRequest):
                return self._get_host(message, now, source)
            if message_id == MessageId.REPORT_REQUEST and isinstance(message, ReportRequest):
                self._report(message, data, now, source, address)
                return None
            if message_id == MessageId.API_GET_ROUTE_REQUEST and isinstance(message, GetRouteRequest):
                return self._get_route(message, now)
            if isinstance(message, RouteStateRequest):
                return self._get_state(message, now)
            if isinstance(message, ReportBatch):
                self._report_batch(message, data, now, source, address)
                return None
            if isinstance(message, ModuleListRequest):
                page = module_page(self._directory.modules, message)
                return encode_message(MessageId.MODULE_LIST_RESPONSE, page)
            if isinstance(message, ExplainRequest):
                return self._explain(message, now)
        except FrameError:
            pass
        self.malformed += 1
        return None

    def _get_host(self, request: GetHostRequest, now: float, source: int) -> bytes:
        module = self._directory.find(request.modid, request.cmdid, now)
        host = self._directory.pick(module, request.key, now, source)
        if host is None:
            return self._no_host(module, request)
        seq = GetHostResponse(seq=request.seq).SerializeToString()
        return encode_frame(MessageId.GET_HOST_RESPONSE, seq + host.answer)

    def _no_host(self, module: Module | None, request: GetHostRequest) -> bytes:
        retcode = Retcode.OVERLOAD if module is not None and module.hosts else Retcode.NOEXIST
        answer = GetHostResponse(seq=request.seq, modid=request.modid, cmdid=request.cmdid, retcode=retcode)
        return encode_message(MessageId.GET_HOST_RESPONSE, answer)

    def _reported(self, modid: int, cmdid: int, now: float, source: int) -> Module | None:
        """The module that a report is about; notes where the report comes from."""
        module = self._directory.find(modid, cmdid, now)
        if module is not None and module.reporter != source:
            module.heard(source, now)
        return module

    def _report(self, request: ReportRequest, data: bytes, now: float, source: int, address: Address | None) -> None:
        module = self._reported(request.modid, request.cmdid, now, source)
        if module is None or not request.HasField("host"):
            self.malformed += 1
            return
        before, called = module.revision, HostAddress(request.host.ip, request.host.port)
        host = self._directory.report(module, called, request.retcode != 0, request.cost_ms / 1000, now)
        if host is None:
            return
        if module.revision != before:
            self._tell_watchers(module, None, now, address)
        elif request.retcode:
            self._tell_watchers(module, data, now, address)
        elif not request.cost_ms:
            self._remember(data, host)

    def _tell_watchers(self, module: Module, notice: bytes | None, now: float, address: Address | None) -> None:
        """Passes a datagram on, as it came from the address; without one, the state, which it has changed."""
        if module.watchers is None:
            return
        if notice is None:
            address = None  # the process that has reported it needs the state as well
            notice = encode_frame(MessageId.ROUTE_STATE_RESPONSE, module.route_state().full)
        for watcher in module.watchers.others(address, now):
            if not self._budget.take(now):
                return
            self.send(notice, watcher)

    def _remember(self, data: bytes, host: RoutedHost) -> None:
        if len(data) > LONGEST_KNOWN_REPORT or len(self._known_reports) >= MAX_KNOWN_REPORTS:
            return
        if host.remember_report(data):
            self._known_reports[data] = host

    def _report_batch(self, batch: ReportBatch, data: bytes, now: float, source: int, address: Address | None) -> None:
        module = self._reported(batch.modid, batch.cmdid, now, source)
        if module is None:
            self.malformed += 1
            return
        if batch.watch_ms and address is not None:
            module.watch(address, batch.watch_ms / 1000, now)
        module.called(sum(result.succ for result in batch.result), now)
        for result in batch.result:
            if result.succ:
                timed = min(result.timed, result.succ)
                gathered = Gathered(result.succ, result.cost_us / 1_000_000 if timed else 0.0, timed)
                address_called = HostAddress(result.ip, result.port)
                self._directory.report_gathered(module, address_called, gathered, now, batch.before_failure)
        if batch.silent:
            for host in batch.silent:
                module.silent(HostAddress(host.ip, host.port))
            self._tell_watchers(module, data, now, address)

    def _get_state(self, request: RouteStateRequest, now: float) -> bytes:
        module = self._directory.find(request.modid, request.cmdid, now)
        state = self._directory.route_state(module)
        if state is None or module is None:
            nothing = RouteStateResponse(seq=request.seq, modid=request.modid, cmdid=request.cmdid)
            return encode_message(MessageId.ROUTE_STATE_RESPONSE, nothing)
        body = state.answer(request.seq, request.version, module.slow())
        if len(body) + len(self._state_dir) <= MAX_DATAGRAM_BODY:  # fields of one message may follow each other
            body += self._state_dir
        return encode_frame(MessageId.ROUTE_STATE_RESPONSE, body)

    def _get_route(self, request: GetRouteRequest, now: float) -> bytes:
        hosts = self._directory.route(self._directory.find(request.modid, request.cmdid, now))
        answer = GetRouteResponse(
            modid=request.modid, cmdid=request.cmdid, host=[HostInfo(ip=h.ip, port=h.port) for h in hosts]
        )
        return encode_message(MessageId.API_GET_ROUTE_RESPONSE, answer)

    def _explain(self, request: ExplainRequest, now: float) -> bytes:
        # Only looks: a module that nobody calls is neither asked for nor kept.
        module = self._directory.modules.get(ModuleId(request.modid, request.cmdid))
        return encode_message(MessageId.EXPLAIN_RESPONSE, explain_page(module, request, now))

    # As a DirectoryListener: what the short way knows ends with the module or host.

    def module_added(self, module: Module) -> None:
        """Recognizes get_host requests for the module from now on."""
        self._by_fields[module_fields(module.id)] = module

    def module_removed(self, module: Module) -> None:
        """Recognizes them no more."""
        del self._by_fields[module_fields(module.id)]

    def hosts_removed(self, hosts: Iterable[RoutedHost]) -> None:
        """Forgets the reports of hosts that have left their route."""
        for host in hosts:
            for data in host.reports:
                del self._known_reports[data]


def _to_nobody(_datagram: bytes, _address: Address) -> None:
    """Nothing can be sent yet."""
