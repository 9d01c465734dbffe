"""The link to lars-dns: asks for routes, takes answers and pushes (docs/design/agent.md, links)."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import ClassVar

from twisted.python.failure import Failure

from lars.agent.links.credentials import NO_CREDENTIALS, Credentials
from lars.agent.links.link import LinkFactory, LinkProtocol, heartbeat_receivers
from lars.agent.settings import Servers
from lars.errors import InvalidRoute
from lars.route import MAX_HOSTS, MAX_PORT, HostAddress, ModuleId, Steering, module_id
from lars.runtime.reactor import IReactor
from lars.wire.heartbeats import INTERVAL
from lars.wire.lars_pb2 import GetRouteRequest, GetRouteResponse, UnsubscribeRequest
from lars.wire.messages import MessageId
from lars.wire.protocol import FrameProtocol
from lars.wire.rich_routes import MAX_RICH_ROUTE, RICH_PEER, steering_of
from lars.wording import counted

ANSWER_TIMEOUT = 10.0
"""Seconds after a request within which a working dns has sent something; then another server is tried."""

ASKED_AT_ONCE = 200
"""Modules asked for at once after a new connection, so that the requests of a fleet are spread out."""

TakeRoute = Callable[[ModuleId, list[HostAddress], int, Steering, int], None]
"""Called with each route that dns sends: module, hosts, fresh_ms (0 from a C++ dns), what was set for it, version."""


class DnsLinkState(Enum):
    """Whether there is a connection, and whether an answer is due on it."""

    DOWN = "down"
    IDLE = "idle"
    """Connected; nothing has been asked since the last answer."""
    WAITING = "waiting"
    """Connected; a request has had no answer yet."""


class DnsLinkProtocol(LinkProtocol):
    """The agent's side of a connection to lars-dns."""

    factory: "DnsLink"
    longer: ClassVar[Mapping[int, int]] = {MessageId.GET_ROUTE_RESPONSE: MAX_RICH_ROUTE}

    def peer_connected(self) -> None:
        self.factory.connected(self)

    def peer_lost(self, reason: Failure) -> None:
        self.factory.lost(self)

    def on_route(self, response: GetRouteResponse) -> None:
        """Takes a route, an answer or a push."""
        try:
            module = module_id(response.modid, response.cmdid)
        except InvalidRoute as error:
            self.factory.count_malformed(self, error)
            return
        hosts = [HostAddress(h.ip, h.port) for h in response.host if h.ip and 0 < h.port <= MAX_PORT][:MAX_HOSTS]
        if len(hosts) < len(response.host):
            of = f"{counted(len(response.host), 'host')} for module {module}"
            self.factory.count_malformed(self, InvalidRoute(f"of {of} only {len(hosts)} can be used"))
        if hosts or not response.host:
            self.factory.take_route(module, hosts, response.fresh_ms, steering_of(response), response.version)

    receivers = {MessageId.GET_ROUTE_RESPONSE: on_route, **heartbeat_receivers}


class DnsLink(LinkFactory):
    """Asks the lars-dns that is linked.

    A new module is asked for at once; `modules_in_use` are asked for again on each new connection, some at a time.
    """

    protocol = DnsLinkProtocol

    def __init__(
        self,
        reactor: IReactor,
        servers: Servers,
        take_route: TakeRoute,
        modules_in_use: Callable[[], Iterable[ModuleId]],
        interval: float = INTERVAL,
        credentials: Credentials = NO_CREDENTIALS,
    ) -> None:
        super().__init__("lars-dns", reactor, servers, interval, credentials)
        self.take_route = take_route
        self._modules_in_use = modules_in_use
        self._connection: DnsLinkProtocol | None = None
        self._state = DnsLinkState.DOWN
        self._waiting_since = 0.0
        self._to_ask: OrderedDict[ModuleId, None] = OrderedDict()

    def connected(self, connection: DnsLinkProtocol) -> None:
        """Asks again for all modules in use."""
        self._connection = connection
        self._state = DnsLinkState.IDLE
        self.ask_all(self._modules_in_use())

    def lost(self, connection: DnsLinkProtocol) -> None:
        """Drops what waits to be asked: the next connection asks for everything."""
        if self._connection is connection:
            self._connection = None
            self._state = DnsLinkState.DOWN
            self._to_ask.clear()

    def ask(self, module: ModuleId) -> None:
        """Asks for one module now; if no dns is linked, the next connection will."""
        if self._connection is not None:
            request = GetRouteRequest(modid=module.modid, cmdid=module.cmdid, peer=RICH_PEER)
            self._connection.send(MessageId.GET_ROUTE_REQUEST, request)
            if self._state is DnsLinkState.IDLE:
                self._state = DnsLinkState.WAITING
                self._waiting_since = self.clock.seconds()

    def heard(self, connection: FrameProtocol) -> None:
        super().heard(connection)
        if self._state is DnsLinkState.WAITING:
            self._state = DnsLinkState.IDLE

    def drop_if_silent(self) -> None:
        """Ends a connection whose dns has sent nothing for ANSWER_TIMEOUT, to try the next server; called by timer."""
        if self._connection is None or self._state is not DnsLinkState.WAITING:
            return
        if self.clock.seconds() - self._waiting_since >= ANSWER_TIMEOUT:
            self._state = DnsLinkState.IDLE
            self.leave("has not answered for", ANSWER_TIMEOUT)

    def unsubscribe(self, module: ModuleId) -> None:
        """Asks lars-dns for no more pushes of a module; a C++ dns must not be sent this."""
        if self._connection is not None:
            request = UnsubscribeRequest(modid=module.modid, cmdid=module.cmdid)
            self._connection.send(MessageId.UNSUBSCRIBE_REQUEST, request)

    def ask_all(self, modules: Iterable[ModuleId]) -> None:
        """Asks for many modules, spread out over calls of ask_some."""
        self._to_ask.update(dict.fromkeys(modules))

    def ask_some(self) -> None:
        """Asks for the next ASKED_AT_ONCE modules that are waiting; called by timer."""
        for _ in range(min(ASKED_AT_ONCE, len(self._to_ask))):
            self.ask(self._to_ask.popitem(last=False)[0])
