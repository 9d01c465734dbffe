"""One UDP shard's logic: a datagram in, an answer out (design 7). Pure: `now` (seconds, monotonic) is an argument."""

from collections.abc import Callable, Iterable

from lars.agent.balancer import BalancerSettings, StateChange
from lars.agent.module import Module
from lars.errors import InvalidRoute
from lars.route import HostAddress, ModuleId, module_id
from lars.wire.frames import FrameError, decode_datagram
from lars.wire.lars_pb2 import (
    GetHostRequest,
    GetHostResponse,
    GetRouteRequest,
    GetRouteResponse,
    HostInfo,
    ReportRequest,
)
from lars.wire.messages import MessageId, Retcode, decode_message, encode_message

MAX_MODULES = 200_000
"""Modules one shard remembers; a local process chooses which it asks for."""


class ShardCounters:
    """What a shard has done so far."""

    __slots__ = ("answers", "dropped", "malformed", "reports", "strangers")

    def __init__(self) -> None:
        self.answers = dict.fromkeys(Retcode, 0)
        self.reports = 0
        self.strangers = 0
        """Reports for hosts that are not in the module's route."""
        self.malformed = 0
        """Datagrams that are no request."""


class Shard:
    """The modules of one UDP port.

    `ask` is called with each module whose route is needed from dns, when a request first names it.
    """

    def __init__(self, settings: BalancerSettings, ask: Callable[[ModuleId], None]) -> None:
        self._settings = settings
        self._ask = ask
        self.modules: dict[ModuleId, Module] = {}
        self.counters = ShardCounters()

    def datagram(self, data: bytes, now: float) -> bytes | None:
        """The answer to a datagram, or None if it gets none; what is no request of a client is counted and dropped."""
        try:
            message_id, body = decode_datagram(data)
            message = decode_message(message_id, body)
            if message_id == MessageId.GET_HOST_REQUEST and isinstance(message, GetHostRequest):
                return self._get_host(message, now)
            if message_id == MessageId.REPORT_REQUEST and isinstance(message, ReportRequest):
                self._report(message, now)
                return None
            if message_id == MessageId.API_GET_ROUTE_REQUEST and isinstance(message, GetRouteRequest):
                return self._get_route(message, now)
        except FrameError:
            pass
        self.counters.malformed += 1
        return None

    def _get_host(self, request: GetHostRequest, now: float) -> bytes:
        answer = GetHostResponse(seq=request.seq, modid=request.modid, cmdid=request.cmdid)
        module = self._module(request.modid, request.cmdid, now)
        if module is None or not module.balancer.hosts:
            answer.retcode = Retcode.NOEXIST
        elif (host := module.balancer.choose()) is None:
            answer.retcode = Retcode.OVERLOAD
        else:
            answer.host.ip, answer.host.port = host.address
        self.counters.answers[Retcode(answer.retcode)] += 1
        return encode_message(MessageId.GET_HOST_RESPONSE, answer)

    def _report(self, request: ReportRequest, now: float) -> None:
        module = self._module(request.modid, request.cmdid, now)
        if module is None or not request.HasField("host"):
            self.counters.malformed += 1
            return
        address = HostAddress(request.host.ip, request.host.port)
        failed = request.retcode != 0
        in_route = module.balancer.report(address, failed, request.cost_ms, now)
        module.tally.count(address, failed, in_route)
        self.counters.reports += 1
        self.counters.strangers += not in_route

    def _get_route(self, request: GetRouteRequest, now: float) -> bytes:
        module = self._module(request.modid, request.cmdid, now)
        hosts = module.balancer.hosts if module is not None else ()
        answer = GetRouteResponse(
            modid=request.modid, cmdid=request.cmdid, host=[HostInfo(ip=h.ip, port=h.port) for h in hosts]
        )
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
        module = self.modules[key] = Module(key, self._settings, now)
        module.asked_at = now
        self._ask(key)
        return module

    def restore(self, key: ModuleId, hosts: Iterable[HostAddress], now: float) -> None:
        """A saved route, to be asked for again as soon as dns is there."""
        if key not in self.modules:
            module = self.modules[key] = Module(key, self._settings, now)
            module.take_route(hosts, fresh_until=now, now=now)

    def take_route(self, key: ModuleId, hosts: Iterable[HostAddress], fresh_until: float, now: float) -> Module | None:
        """A route from dns; None, and nothing happens, if nobody here asked about the module."""
        module = self.modules.get(key)
        if module is not None:
            module.take_route(hosts, fresh_until, now)
        return module

    def sweep(self, now: float) -> list[tuple[ModuleId, StateChange]]:
        """Lets every balancer's timers run; the state changes since the last sweep."""
        changes = []
        for key, module in self.modules.items():
            module.balancer.sweep(now)
            if module.balancer.changes:
                changes += [(key, change) for change in module.balancer.changes]
                module.balancer.changes.clear()
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
        unused = [m for m in self.modules.values() if now - m.used_at >= ttl and not m.tally]
        for module in unused:
            del self.modules[module.module]
        return unused
