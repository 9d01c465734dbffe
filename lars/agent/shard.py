"""One UDP shard's logic: a datagram in, an answer out. Pure: `now` (seconds, monotonic) is an argument.

See docs/design/agent.md, datagrams.

Two ways lead to each answer. The short one recognizes a get_host by the bytes that name its module, and a report of a
success by all its bytes, once the long one has met them; it parses nothing and encodes nothing. The long one parses
and encodes with protobuf. What they do is the same.
"""

from collections.abc import Callable, Iterable

from lars.agent.balancer import BalancerSettings, StateChange
from lars.agent.listing import module_page
from lars.agent.module import Module, RoutedHost
from lars.errors import InvalidRoute
from lars.route import HostAddress, ModuleId, module_id
from lars.wire.frames import HEADER, HEADER_SIZE, FrameError, decode_datagram, encode_frame
from lars.wire.lars_pb2 import (
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

MAX_MODULES = 200_000
"""Modules one shard remembers; a local process chooses which it asks for."""

MAX_KNOWN_REPORTS = 400_000
"""Encodings of reports of a success that are remembered, so that they need no parsing."""

LONGEST_KNOWN_REPORT = 64
"""Bytes of a report that is remembered, at most; what clients send has half of that."""

ENCODINGS = 2
"""Ways to encode a host's report that are remembered: a C++ client writes an address as a negative number."""

_GET_HOST_HEADERS = [HEADER.pack(MessageId.GET_HOST_REQUEST, max(0, n - HEADER_SIZE)) for n in range(64)]
"""By length of the datagram: how a get_host of that length begins. Longer ones take the long way."""
_ANSWER_HEADERS = [HEADER.pack(MessageId.GET_HOST_RESPONSE, n) for n in range(128)]
"""By length of the body: how its answer begins."""


class ShardCounters:
    """What a shard has done so far."""

    __slots__ = (
        "dropped",
        "malformed",
        "noexist",
        "overload",
        "reports",
        "routes",
        "set_aside",
        "states",
        "strangers",
        "succ",
        "taken_back",
    )

    def __init__(self) -> None:
        self.succ = 0
        """get_host answered with a host."""
        self.overload = 0
        """get_host answered OVERLOAD."""
        self.noexist = 0
        """get_host answered NOEXIST."""
        self.routes = 0
        """get_route answered."""
        self.states = 0
        """Route states told."""
        self.reports = 0
        """Reports counted."""
        self.strangers = 0
        """Reports for hosts that are not in the module's route."""
        self.dropped = 0
        """Of these, the ones of modules that are forgotten by now which were not counted."""
        self.malformed = 0
        """Datagrams that are no request."""
        self.set_aside = 0
        """Hosts that became overloaded."""
        self.taken_back = 0
        """Hosts that became idle again."""


class Shard:
    """The modules of one UDP port.

    `ask` is called with each module whose route is needed from dns, when a request first names it.
    """

    def __init__(self, settings: BalancerSettings, ask: Callable[[ModuleId], None]) -> None:
        self._settings = settings
        self._ask = ask
        self.modules: dict[ModuleId, Module] = {}
        self.counters = ShardCounters()
        self._by_name: dict[bytes, Module] = {}  # modid and cmdid as a get_host holds them
        self._known_reports: dict[bytes, RoutedHost] = {}  # whole datagrams

    def datagram(self, data: bytes, now: float) -> bytes | None:
        """The answer to a datagram, or None if it gets none; what is no request of a client is counted and dropped."""
        known = self._known_reports.get(data)
        if known is not None:
            module = known.module
            known.succ += 1
            module.used_at = now
            module.balancer.succeeded(known, now)
            self.counters.reports += 1
            return None
        size = len(data)
        if 10 < size < 64 and data[8] == 8 and data.startswith(_GET_HOST_HEADERS[size]):
            # After the header of 8 bytes: the tag of seq, its varint of one to five bytes, and what names the module.
            end = 10
            while end < size and data[end - 1] > 127:
                end += 1
            named = self._by_name.get(data[end:])
            if named is not None and end < 15:
                chosen = named.balancer.choose()
                if chosen is not None and (answer := chosen.answer) is not None:
                    named.used_at = now
                    self.counters.succ += 1
                    return _ANSWER_HEADERS[end - 8 + len(answer)] + data[8:end] + answer
                return self._chosen(named, chosen, GetHostRequest.FromString(data[8:]), now)
        return self._parsed(data, now)

    def _parsed(self, data: bytes, now: float) -> bytes | None:
        """The long way."""
        try:
            message_id, body = decode_datagram(data)
            message = decode_message(message_id, body)
            if message_id == MessageId.GET_HOST_REQUEST and isinstance(message, GetHostRequest):
                return self._get_host(message, now)
            if message_id == MessageId.REPORT_REQUEST and isinstance(message, ReportRequest):
                self._report(message, data, now)
                return None
            if message_id == MessageId.API_GET_ROUTE_REQUEST and isinstance(message, GetRouteRequest):
                return self._get_route(message, now)
            if isinstance(message, RouteStateRequest):
                return self._tell_state(message, now)
            if isinstance(message, ReportBatch):
                self._report_batch(message, now)
                return None
            if isinstance(message, ModuleListRequest):
                return encode_message(MessageId.MODULE_LIST_RESPONSE, module_page(self.modules, message))
        except FrameError:
            pass
        self.counters.malformed += 1
        return None

    def _get_host(self, request: GetHostRequest, now: float) -> bytes:
        module = self._module(request.modid, request.cmdid, now)
        host = module.balancer.choose() if module is not None else None
        return self._chosen(module, host, request, now)

    def _chosen(self, module: Module | None, host: RoutedHost | None, request: GetHostRequest, now: float) -> bytes:
        answer = GetHostResponse(seq=request.seq, modid=request.modid, cmdid=request.cmdid)
        if module is None or not module.balancer.hosts:
            answer.retcode = Retcode.NOEXIST
            self.counters.noexist += 1
        elif host is None:
            answer.retcode = Retcode.OVERLOAD
            self.counters.overload += 1
        else:
            answer.host.ip, answer.host.port = host.address
            self.counters.succ += 1
            if host.answer is None:
                host.answer = answer_tail(module.module, host.address)
        if module is not None:
            module.used_at = now
        return encode_message(MessageId.GET_HOST_RESPONSE, answer)

    def _report(self, request: ReportRequest, data: bytes, now: float) -> None:
        module = self._module(request.modid, request.cmdid, now)
        if module is None or not request.HasField("host"):
            self.counters.malformed += 1
            return
        address = HostAddress(request.host.ip, request.host.port)
        host = module.report(address, request.retcode != 0, request.cost_ms, now)
        self.counters.reports += 1
        if host is None:
            self.counters.strangers += 1
        elif not request.retcode and not request.cost_ms:
            self._remember(data, host)

    def _remember(self, data: bytes, host: RoutedHost) -> None:
        if len(data) > LONGEST_KNOWN_REPORT or len(self._known_reports) >= MAX_KNOWN_REPORTS:
            return
        if data not in host.reports and len(host.reports) < ENCODINGS:
            self._known_reports[data] = host
            host.reports += (data,)

    def _report_batch(self, batch: ReportBatch, now: float) -> None:
        module = self._module(batch.modid, batch.cmdid, now)
        if module is None:
            self.counters.malformed += 1
            return
        for result in batch.result:
            if not result.succ:
                continue
            if not module.succeeded(HostAddress(result.ip, result.port), result.succ, now):
                self.counters.strangers += result.succ
            self.counters.reports += result.succ

    def _tell_state(self, request: RouteStateRequest, now: float) -> bytes:
        module = self._module(request.modid, request.cmdid, now)
        self.counters.states += 1
        if module is None:
            nothing = RouteStateResponse(seq=request.seq, modid=request.modid, cmdid=request.cmdid)
            return encode_message(MessageId.ROUTE_STATE_RESPONSE, nothing)
        answer = module.route_state().answer(request.seq, request.version)
        return encode_frame(MessageId.ROUTE_STATE_RESPONSE, answer)

    def _get_route(self, request: GetRouteRequest, now: float) -> bytes:
        module = self._module(request.modid, request.cmdid, now)
        hosts = module.balancer.hosts if module is not None else ()
        answer = GetRouteResponse(
            modid=request.modid, cmdid=request.cmdid, host=[HostInfo(ip=h.ip, port=h.port) for h in hosts]
        )
        self.counters.routes += 1
        return encode_message(MessageId.API_GET_ROUTE_RESPONSE, answer)

    def _module(self, modid: int, cmdid: int, now: float) -> Module | None:
        """The module, asked for if it is new; None for one that cannot exist or is one too many."""
        key = ModuleId(modid, cmdid)
        module = self.modules.get(key)
        if module is not None:
            module.used_at = now
            return module
        try:
            module_id(modid, cmdid)
        except InvalidRoute:
            return None
        if len(self.modules) >= MAX_MODULES:
            return None
        module = self._add(key, now)
        module.asked_at = now
        self._ask(key)
        return module

    def _add(self, key: ModuleId, now: float) -> Module:
        module = self.modules[key] = Module(key, self._settings, now)
        self._by_name[_name(key)] = module
        return module

    def restore(self, key: ModuleId, hosts: Iterable[HostAddress], now: float) -> None:
        """A saved route, to be asked for again as soon as dns is there."""
        if key not in self.modules:
            self._add(key, now).balancer.update(hosts, now)

    def take_route(self, key: ModuleId, hosts: Iterable[HostAddress], fresh_until: float, now: float) -> Module | None:
        """A route from dns; None, and nothing happens, if nobody here asked about the module."""
        module = self.modules.get(key)
        if module is not None:
            self._forget_reports(module.take_route(hosts, fresh_until, now))
        return module

    def _forget_reports(self, hosts: Iterable[RoutedHost]) -> None:
        """Forgets how reports for these hosts are encoded, which are no longer in a route."""
        for host in hosts:
            for data in host.reports:
                del self._known_reports[data]

    def sweep(self, modules: Iterable[Module], now: float) -> list[tuple[ModuleId, StateChange]]:
        """Lets the timers of some modules' balancers run; their state changes since the last sweep."""
        changes = []
        for module in modules:
            module.balancer.sweep(now)
            if module.balancer.changes:
                changes += [(module.module, change) for change in module.balancer.changes]
                module.balancer.changes.clear()
        set_aside = sum(change.overloaded for _key, change in changes)
        self.counters.set_aside += set_aside
        self.counters.taken_back += len(changes) - set_aside
        return changes

    def to_refresh(self, now: float, update_timeout: float) -> list[ModuleId]:
        """The modules to ask dns for: whose route is past its time, or whose last request had no answer so long."""
        return [
            key
            for key, module in self.modules.items()
            if (now >= module.fresh_until if module.asked_at is None else now - module.asked_at >= update_timeout)
        ]

    def forget_unused(self, now: float, ttl: float) -> list[Module]:
        """Forgets the modules that nobody asked about for `ttl` seconds and whose calls have all been taken."""
        unused = [m for m in self.modules.values() if now - m.used_at >= ttl and not m.has_calls]
        for module in unused:
            del self.modules[module.module]
            del self._by_name[_name(module.module)]
            self.counters.dropped += module.tally.dropped
            self._forget_reports(module.balancer.hosts.values())
        return unused


def _name(key: ModuleId) -> bytes:
    """How a get_host names a module: its modid and cmdid fields."""
    return GetHostRequest(modid=key.modid, cmdid=key.cmdid).SerializeToString()


def answer_tail(key: ModuleId, address: HostAddress) -> bytes:
    """All of a get_host's answer but its header and seq: the module as the request names it, then the host."""
    host = HostInfo(ip=address.ip, port=address.port)
    return GetHostResponse(modid=key.modid, cmdid=key.cmdid, host=host).SerializeToString()
