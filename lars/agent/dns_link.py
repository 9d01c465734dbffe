"""The link to lars-dns: asks for routes, takes answers and pushes (docs/design/agent.md, links)."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from twisted.logger import Logger
from twisted.python.failure import Failure

from lars.agent.link import LinkFactory
from lars.agent.settings import Servers
from lars.errors import InvalidRoute
from lars.route import MAX_HOSTS, MAX_PORT, HostAddress, ModuleId, module_id
from lars.wire.lars_pb2 import GetRouteRequest, GetRouteResponse, UnsubscribeRequest
from lars.wire.messages import MessageId
from lars.wire.protocol import FrameProtocol

_log = Logger()

PEER = 1
"""What GetRouteRequest.peer says of us: reads a stream properly, survives removals."""

ANSWER_TIMEOUT = 10.0
"""Seconds after a request in which a dns that works has sent something; one that hangs is left then."""

ASKED_AT_ONCE = 200
"""Modules asked for in one turn of the spread-out asking after a new connection."""

TakeRoute = Callable[[ModuleId, list[HostAddress], int], None]
"""Given each route that dns sends: module, hosts, and fresh_ms (0 from a C++ dns)."""


class DnsLinkProtocol(FrameProtocol):
    """The agent's side of a connection to lars-dns."""

    factory: "DnsLink"

    def peer_connected(self) -> None:
        self.factory.connected(self)

    def peer_lost(self, reason: Failure) -> None:
        self.factory.lost(self)

    def on_route(self, response: GetRouteResponse) -> None:
        try:
            module = module_id(response.modid, response.cmdid)
        except InvalidRoute as error:
            self.factory.count_malformed(self, error)
            return
        self.factory.answered()
        hosts = [HostAddress(h.ip, h.port) for h in response.host if h.ip and 0 < h.port <= MAX_PORT][:MAX_HOSTS]
        if len(hosts) < len(response.host):
            of = f"{len(response.host)} hosts for module {module}"
            self.factory.count_malformed(self, InvalidRoute(f"of {of} only {len(hosts)} can be used"))
        if hosts or not response.host:
            self.factory.take_route(module, hosts, response.fresh_ms)

    receivers = {MessageId.GET_ROUTE_RESPONSE: on_route}


class DnsLink(LinkFactory):
    """Asks whichever lars-dns is linked.

    A new module is asked for at once; `modules_in_use` are asked for again on each new connection, some at a time.
    """

    protocol = DnsLinkProtocol

    def __init__(
        self,
        reactor: Any,
        servers: Servers,
        take_route: TakeRoute,
        modules_in_use: Callable[[], Iterable[ModuleId]],
    ) -> None:
        super().__init__("lars-dns", reactor, servers)
        self.take_route = take_route
        self._reactor = reactor
        self._modules_in_use = modules_in_use
        self._connection: DnsLinkProtocol | None = None
        self._waiting_since: float | None = None
        self._to_ask: OrderedDict[ModuleId, None] = OrderedDict()

    @property
    def up(self) -> bool:
        return self._connection is not None

    def connected(self, connection: DnsLinkProtocol) -> None:
        self._connection = connection
        self._waiting_since = None
        self.ask_all(self._modules_in_use())

    def lost(self, connection: DnsLinkProtocol) -> None:
        if self._connection is connection:
            self._connection = None
            self._to_ask.clear()

    def ask(self, module: ModuleId) -> None:
        """Asks for one module now; if no dns is linked, the next connection will."""
        if self._connection is not None:
            request = GetRouteRequest(modid=module.modid, cmdid=module.cmdid, peer=PEER)
            self._connection.send(MessageId.GET_ROUTE_REQUEST, request)
            if self._waiting_since is None:
                self._waiting_since = self.clock.seconds()

    def answered(self) -> None:
        """Something came from dns: it lives."""
        self._waiting_since = None

    def drop_if_silent(self) -> None:
        """Ends a connection whose dns has answered nothing for ANSWER_TIMEOUT; called by timer.

        The next server of the list is tried first then.
        """
        if self._connection is None or self._waiting_since is None:
            return
        if self.clock.seconds() - self._waiting_since >= ANSWER_TIMEOUT:
            _log.warn("lars-dns {server} does not answer: linking anew", server=self._connection.connected_to)
            self._waiting_since = None
            self.endpoint.next()
            self._connection.end()

    def unsubscribe(self, module: ModuleId) -> None:
        """Tells a dns of ours that nobody here asks for the module any more."""
        if self._connection is not None:
            request = UnsubscribeRequest(modid=module.modid, cmdid=module.cmdid)
            self._connection.send(MessageId.UNSUBSCRIBE_REQUEST, request)

    def ask_all(self, modules: Iterable[ModuleId]) -> None:
        """Asks for many modules, spread out over coming turns of ask_some."""
        self._to_ask.update(dict.fromkeys(modules))

    def ask_some(self) -> None:
        """Asks for the next few modules of those that wait to be asked for; called by timer."""
        for _ in range(min(ASKED_AT_ONCE, len(self._to_ask))):
            self.ask(self._to_ask.popitem(last=False)[0])
