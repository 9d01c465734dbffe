"""A module's route as it changes: what a watch yields next, from the agent's answers (docs/design/client.md, watches).

Sans-I/O; `now` is in seconds, monotonic.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lars.client.host import Host
from lars.client.queries import MAX_DATAGRAM, SEQ_BITS, host_of
from lars.errors import SettingsError
from lars.route import ModuleId
from lars.wire.frames import FrameError, decode_datagram
from lars.wire.lars_pb2 import HostInfo, RouteStateRequest, RouteStateResponse
from lars.wire.messages import MessageId, decode_message, encode_message

WATCH_INTERVAL = 0.5
"""Default: seconds between two questions of a watch to the agent."""

FIRST_INTERVAL = 0.05
"""Seconds between two questions while the agent has no host yet: it pulls the hosts when it is first asked."""


@dataclass(frozen=True, slots=True)
class RouteHost:
    """One host of a route. `weight` is None where the agent names none: all are the same, or it is an older agent."""

    host: Host
    weight: int | None = None
    ejected: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """The hosts of a module, ordered by address; none if the agent knows none."""

    module: ModuleId
    hosts: tuple[RouteHost, ...]

    @property
    def healthy(self) -> list[Host]:
        """The hosts that are not ejected."""
        return [one.host for one in self.hosts if not one.ejected]

    @property
    def all(self) -> list[Host]:
        """All hosts."""
        return [one.host for one in self.hosts]


@dataclass(frozen=True, slots=True)
class AskState:
    """A step of a watch: ask for the route state, with the version of the one before; answered by it, or None."""

    version: int


@dataclass(frozen=True, slots=True)
class AskHosts:
    """A step of a watch: ask for all hosts; answered by them, or None if the agent does not answer."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A step of a watch: wait so many seconds."""

    seconds: float


Step = AskState | AskHosts | Pause | Route
"""A watch yields its Routes, and carries out the other steps."""


class StateQuery:
    """A query for the route state of a module, for a client that has `version` of it, 0 for none."""

    __slots__ = ("_asked", "datagrams")

    max_size = MAX_DATAGRAM

    def __init__(self, module: ModuleId, seq: int, version: int) -> None:
        self._asked = (seq & SEQ_BITS, *module)
        request = RouteStateRequest(seq=seq & SEQ_BITS, modid=module.modid, cmdid=module.cmdid, version=version)
        self.datagrams = (encode_message(MessageId.ROUTE_STATE_REQUEST, request),)

    def answer(self, datagram: bytes) -> RouteStateResponse | None:
        """The state, or None if the datagram does not answer this query."""
        try:
            message = decode_message(*decode_datagram(datagram))
        except FrameError:
            return None
        if not isinstance(message, RouteStateResponse):
            return None
        return message if (message.seq, message.modid, message.cmdid) == self._asked else None


class WatchedRoute:
    """What one watch has yielded, and what it asks next.

    Args:
        module: the module.
        interval: seconds between two questions, above 0.
        empty_from: until then an empty route is not yielded: the agent may not have pulled the hosts.

    Raises SettingsError if `interval` is out of range.

    Attributes:
        version: of the state that the agent last sent, for the next query; 0 for none.
    """

    def __init__(self, module: ModuleId, interval: float, empty_from: float) -> None:
        if not 0 < interval < 86_400:
            raise SettingsError(f"interval {interval} is out of range: give seconds above 0 and below a day")
        self.module = module
        self.version = 0
        self._interval = interval
        self._empty_from = empty_from
        self._last: Route | None = None

    def learn_state(self, state: RouteStateResponse, now: float) -> Route | None:
        """The route to yield, or None if it is as before."""
        if state.version and state.version == self.version:
            return None
        self.version = state.version
        weights: Sequence[int] = state.idle_weight
        if len(weights) != len(state.idle):
            weights = ()
        hosts = self._hosts(state.idle, weights, ejected=False)
        return self._changed(hosts + self._hosts(state.overloaded, (), ejected=True), now)

    def learn_hosts(self, hosts: Iterable[Host], saved: bool, now: float) -> Route | None:
        """The same for a route without states: that of a C++ agent, or one that was saved while the agent is down.

        A saved one is yielded only if nothing was before.
        """
        self.version = 0
        if saved and self._last is not None:
            return None
        return self._changed([RouteHost(host) for host in hosts], now)

    def _hosts(self, infos: Sequence[HostInfo], weights: Sequence[int], ejected: bool) -> list[RouteHost]:
        found = []
        for place, info in enumerate(infos):
            host = host_of(self.module, info)
            if host is not None:
                found.append(RouteHost(host, weights[place] if weights else None, ejected))
        return found

    def _changed(self, hosts: list[RouteHost], now: float) -> Route | None:
        if not hosts and self._last is None and now < self._empty_from:
            return None
        route = Route(self.module, tuple(sorted(hosts, key=lambda one: one.host.address)))
        if route == self._last:
            return None
        self._last = route
        return route

    def pause(self, now: float) -> float:
        """Seconds until the next question."""
        if self._last is None and now < self._empty_from:
            return min(FIRST_INTERVAL, self._interval)
        return self._interval
