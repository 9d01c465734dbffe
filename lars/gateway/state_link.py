"""Asks one shard of the agent for the routes of modules, with the states of their hosts."""

from collections.abc import Sequence
from enum import Enum

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from lars.client.address import AgentAddress
from lars.client.errors import AgentUnavailable
from lars.client.queries import MAX_DATAGRAM
from lars.client.udp_mux import EventLoop, UdpMux
from lars.gateway.route import Route, route_of_hosts, route_of_state
from lars.route import ModuleId
from lars.wire.frames import FrameError, decode_datagram
from lars.wire.lars_pb2 import GetRouteRequest, GetRouteResponse, RouteStateRequest, RouteStateResponse
from lars.wire.messages import MessageId, decode_message, encode_message

_log = Logger()

UNSUPPORTED_TTL = 60.0
"""Seconds until an agent that answered only the request for a plain route is asked for a state again."""

Answer = RouteStateResponse | GetRouteResponse


class Dialect(Enum):
    """What the agent answers, as far as that is known: a C++ agent answers plain routes alone."""

    UNKNOWN = "both are asked for, and the better answer comes first"
    STATES = "states"
    PLAIN = "plain routes"


class StateQuery:
    """A query for a module's route (lars.client.queries.Query).

    Args:
        module: the module.
        seq: distinguishes it from earlier ones, 1 to 2**32 - 1.
        known: the route that an answer without hosts refers to.
        dialect: what to ask for.
    """

    max_size = MAX_DATAGRAM

    def __init__(self, module: ModuleId, seq: int, known: Route | None, dialect: Dialect) -> None:
        self._module = module
        self._seq = seq
        self._known = known
        self.datagrams: Sequence[bytes] = []
        modid, cmdid = module
        if dialect is not Dialect.PLAIN:
            version = known.version if known is not None else 0
            request = RouteStateRequest(seq=seq, modid=modid, cmdid=cmdid, version=version)
            self.datagrams.append(encode_message(MessageId.ROUTE_STATE_REQUEST, request))
        if dialect is not Dialect.STATES:  # the agent answers in order, so this answer comes second
            plain = GetRouteRequest(modid=modid, cmdid=cmdid)
            self.datagrams.append(encode_message(MessageId.API_GET_ROUTE_REQUEST, plain))

    def answer(self, datagram: bytes) -> tuple[Route, Dialect] | None:
        """The route, and what the agent has shown to answer; None if the datagram does not answer this query."""
        message = _read(datagram)
        if message is None or (message.modid, message.cmdid) != self._module:
            return None
        if isinstance(message, GetRouteResponse):
            return route_of_hosts(self._module, message.host), Dialect.PLAIN
        if message.seq != self._seq:
            return None
        if self._known is not None and message.version and message.version == self._known.version:
            return self._known, Dialect.STATES
        return route_of_state(self._module, message), Dialect.STATES


class StateLink:
    """One shard of the agent.

    Args:
        peer: the shard's address.
        timeout: seconds until a query fails; half-way it is sent again.
        loop: what the socket is read by.

    Attributes:
        alive: whether the last query was answered; True before the first.
    """

    def __init__(self, peer: AgentAddress, timeout: float, loop: EventLoop) -> None:
        self._peer = peer
        self._timeout = timeout
        self._loop = loop
        self._mux: UdpMux | None = None
        self._dialect = Dialect.UNKNOWN
        self._dialect_until = 0.0
        self.alive = True

    def ask(self, module: ModuleId, known: Route | None, now: float) -> Deferred[Route]:
        """The route of a module; `known` is the one that the caller has. One query a module at a time.

        Fails with AgentUnavailable.
        """
        if self._dialect is Dialect.PLAIN and now >= self._dialect_until:
            self._dialect = Dialect.UNKNOWN
        key = _key(module)
        found: Deferred[Route] = Deferred(lambda _cancelled: self._cancel(key))

        def deliver(answer: tuple[Route, Dialect] | None, error: Exception | None) -> None:
            if answer is None:
                found.errback(self._unanswered(error))
                return
            route, dialect = answer
            self._answered(dialect, now)
            found.callback(route)

        try:
            mux = self._opened()
        except OSError as error:
            deliver(None, error)
            return found
        mux.ask(key, StateQuery(module, mux.next_seq(), known, self._dialect), deliver)
        return found

    def _opened(self) -> UdpMux:
        if self._mux is None:
            self._mux = UdpMux(self._peer, self._timeout / 2, self._loop, _key_of)
        return self._mux

    def _cancel(self, key: int) -> None:
        if self._mux is not None:
            self._mux.cancel(key)

    def _answered(self, dialect: Dialect, now: float) -> None:
        self._dialect, self._dialect_until = dialect, now + UNSUPPORTED_TTL
        if not self.alive:
            self.alive = True
            _log.info("the agent at {peer} answers again", peer=self._peer)

    def _unanswered(self, error: Exception | None) -> AgentUnavailable:
        if isinstance(error, OSError):
            what = f"the agent at {self._peer} cannot be reached ({error.strerror or error})"
        else:
            what = f"no answer from the agent at {self._peer} within {self._timeout:g} s"
        self._dialect = Dialect.UNKNOWN  # another version may be started
        if self.alive:
            self.alive = False
            _log.warn("{what}; until it answers, clients get an error", what=what)
        return AgentUnavailable(f"{what}: start lars-agent there, or set --agent of lars-gateway")

    def close(self) -> None:
        """Closes the socket; queries under way fail."""
        mux, self._mux = self._mux, None
        if mux is not None:
            self.alive = False  # no log line: the agent need not be away
            mux.close()


def _key(module: ModuleId) -> int:
    return module.modid << 32 | module.cmdid


def _key_of(datagram: bytes) -> int | None:
    message = _read(datagram)
    return _key(ModuleId(message.modid, message.cmdid)) if message is not None else None


def _read(datagram: bytes) -> Answer | None:
    try:
        message = decode_message(*decode_datagram(datagram))
    except FrameError:
        return None
    return message if isinstance(message, Answer) else None
