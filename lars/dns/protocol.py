"""An agent's connection to lars-dns: requests subscribe and are answered, changes are pushed.

See docs/design/dns.md, subscriptions.
"""

from collections import OrderedDict
from collections.abc import Iterable

from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from lars.dns.subscriptions import SubscriptionLimits, Subscriptions
from lars.dns.table import RouteTable
from lars.errors import InvalidRoute
from lars.route import ModuleId, module_id
from lars.runtime.admission import Admission
from lars.wire.factory import FrameFactory, Limits
from lars.wire.lars_pb2 import GetRouteRequest, UnsubscribeRequest
from lars.wire.messages import MessageId
from lars.wire.rich_routes import RICH_PEER
from lars.wire.served import ServedProtocol, heartbeat_receivers

LEGACY_WRITE = 16 * 1024
"""Bytes written at once to a C++ agent, which dies on a frame split across its reads.

See docs/design/dns.md, C++ agents.
"""


WRITE = 64 * 1024
"""Bytes written at once to a Python agent; then the transport says whether it takes more."""


class RouteServerProtocol(ServedProtocol):
    """One agent's connection.

    While the transport takes no more, only the set of modules owed is kept, and the newest route of each is written
    when it drains. A C++ agent, which sends no `peer`, gets whole frames, few at a time, and an empty route when a host
    was removed, after which it asks again. So it does when it first asks for a module: what it may still hold from
    another connection, and whether a host was removed since, is not known here.
    """

    factory: "RouteServerFactory"
    kind = "lars-dns"

    def __init__(self) -> None:
        super().__init__()
        self._owed: OrderedDict[ModuleId, bool] = OrderedDict()  # module -> whether it is owed as an empty route
        self._is_python = False  # whether the peer reads split frames and survives removals
        self._is_rich = False  # whether it reads weights, zones and settings
        self._write_scheduled = False

    def peer_lost(self, reason: Failure) -> None:
        self._owed.clear()
        self.factory.subscriptions.drop(self)

    def on_get_route(self, request: GetRouteRequest) -> None:
        """Subscribes the agent to a module, and answers with its route."""
        try:
            module = module_id(request.modid, request.cmdid)
        except InvalidRoute as error:
            self.factory.count_malformed(self, error)
            return
        factory = self.factory
        factory.requests += 1
        self._is_python = request.peer >= 1
        self._is_rich = request.peer >= RICH_PEER
        self.introduced(request.peer)
        is_first = factory.subscriptions.subscribe(self, module)
        if is_first is None:
            self._answer_unsubscribed(module)
        elif self._is_python and self.writable:
            self.stream.write(self._frame(module))
        else:
            self._owe(module, is_first and not self._is_python)  # an empty route that is owed comes before any other

    def _frame(self, module: ModuleId) -> bytes:
        return self.factory.table.frame(module) if self._is_rich else self.factory.table.plain_frame(module)

    def _answer_unsubscribed(self, module: ModuleId) -> None:
        """Answers a module that is over a limit of subscriptions, so that the agent asks again as it would a C++ dns.

        A C++ agent gets no answer: of a module without subscription it would not learn that a host was removed.
        """
        self.factory.count_unsubscribed(self)
        if self._is_python and self.writable:
            self.stream.write(self.factory.table.unpushed_frame(module, self._is_rich))

    def on_unsubscribe(self, request: UnsubscribeRequest) -> None:
        """Ends a subscription."""
        module = ModuleId(request.modid, request.cmdid)
        self._owed.pop(module, None)
        self.factory.subscriptions.unsubscribe(self, module)

    def push(self, module: ModuleId, lost_a_host: bool) -> None:
        """Sends the changed route of a module, as soon as the transport takes it."""
        self._owe(module, lost_a_host and not self._is_python)

    def _owe(self, module: ModuleId, as_empty: bool) -> None:
        self._owed[module] = as_empty or self._owed.get(module, False)
        if self.writable:
            self._write_owed()

    def _write_owed(self) -> None:
        """Writes what is owed until the transport takes no more; to a C++ agent, one bounded write a turn."""
        if self._is_python:
            while self._owed and self.writable:
                self.stream.write(self._owed_frames(WRITE))
        elif self._owed and not self._write_scheduled:
            self.stream.write(self._owed_frames(LEGACY_WRITE))
            self._write_scheduled = True
            self.factory.clock.callLater(0, self._next_turn)

    def _owed_frames(self, limit: int) -> bytes:
        """Takes the frames that have waited longest: as many as have `limit` bytes, one at least."""
        table, owed = self.factory.table, self._owed
        frames: list[bytes] = []
        size = 0
        while owed:
            module, as_empty = owed.popitem(last=False)
            frame = table.empty_frame(module) if as_empty else self._frame(module)
            size += len(frame)
            if frames and size > limit:
                owed[module] = as_empty
                owed.move_to_end(module, last=False)
                break
            frames.append(frame)
        return b"".join(frames)

    def _next_turn(self) -> None:
        self._write_scheduled = False
        if self.writable and not self._ended:
            self._write_owed()

    def writable_again(self) -> None:
        self._write_owed()

    receivers = {
        MessageId.GET_ROUTE_REQUEST: on_get_route,
        MessageId.UNSUBSCRIBE_REQUEST: on_unsubscribe,
        MessageId.REPORT_STATUS_REQUEST: ServedProtocol.on_misdirected,
        **heartbeat_receivers,
    }


class RouteServerFactory(FrameFactory):
    """The agents' connections, their subscriptions, and the table that answers them."""

    protocol = RouteServerProtocol

    def __init__(
        self,
        table: RouteTable,
        clock: IReactorTime,
        limits: Limits,
        subscription_limits: SubscriptionLimits | None = None,
        admission: Admission | None = None,
    ) -> None:
        super().__init__(clock, limits, admission)
        self.table = table
        self.subscriptions: Subscriptions[RouteServerProtocol] = Subscriptions(table.routes, subscription_limits)
        self.requests = 0
        self.unsubscribed = 0
        self.pushes = 0

    def count_unsubscribed(self, peer: RouteServerProtocol) -> None:
        """Counts a request for a module to which its peer cannot subscribe, because of a limit."""
        self.unsubscribed += 1
        text = "{peer} asks for more modules than it may subscribe to: it has {count}, all peers have {total}; changes "
        text += "of the others are not pushed to it"
        subscriptions = self.subscriptions
        self._log_bounded(
            "unsubscribed", text, peer.connected_to, count=subscriptions.count(peer), total=len(subscriptions)
        )

    def publish(self, changed: Iterable[tuple[ModuleId, bool]]) -> int:
        """Pushes changed routes, each with whether it lost a host, to their subscribers. Returns their number."""
        before = self.pushes
        for module, lost_a_host in changed:
            for subscriber in tuple(self.subscriptions.subscribers(module)):
                self.pushes += 1
                subscriber.push(module, lost_a_host)
        return self.pushes - before
