"""A link to one of several servers: connects, stays while the server works, and reconnects by itself.

See docs/design/agent.md, links.
"""

import os
import random
from collections.abc import Callable, Mapping

from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectError, ConnectionRefusedError, DNSLookupError, TimeoutError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.logger import ILogObserver, LogEvent, Logger
from zope.interface import implementer, provider

from lars.agent.links.credentials import NO_CREDENTIALS, Credentials
from lars.agent.links.handshake import WrongServer, connect_by_tls
from lars.agent.settings import Servers
from lars.runtime.log_limit import LogLimit
from lars.runtime.reactor import IReactor
from lars.runtime.tls import Tls
from lars.wire.factory import FrameFactory
from lars.wire.heartbeats import INTERVAL, Due, LinkPulse
from lars.wire.lars_pb2 import Heartbeat, Hello
from lars.wire.messages import Message, MessageId
from lars.wire.protocol import FrameProtocol, Receiver

_log = Logger()

CHANGES = 5
"""Lines a minute that say that a link is up, and as many that it is down: one that flaps must not flood the log."""

REFUSAL = 5.0
"""Seconds within which a server that closes the connection, and has sent nothing, has refused it."""

NO_WORD = "closes the connection without a word: is it at its limit, does it demand TLS, or not allow this address?"
"""What is wrong with such a server."""

TRIES = 3
"""Connections in a row on which a server that once answered must have been silent before it may be a C++ one, which
says nothing by itself."""

LONGEST_REASON = 200
"""Characters of a server's reason for refusing this agent that are logged."""

CONNECT_TIMEOUT = 3
"""Seconds to wait for a connection before the next server is tried."""


@implementer(IStreamClientEndpoint)
class FirstThatAnswers:
    """Several servers as one endpoint: tries the one that worked last first, then the others in turn."""

    def __init__(self, reactor: IReactor, servers: Servers, tls: Tls | None = None) -> None:
        self._reactor = reactor
        self._servers = servers
        self._tls = tls
        self._endpoints = [HostnameEndpoint(reactor, host, port, CONNECT_TIMEOUT) for host, port in servers]
        self._first = 0
        self._failures: dict[int, str] = {}  # by index: what was wrong the last time

    @property
    def name(self) -> str:
        """host:port of the server that is tried first."""
        return str(self._servers[self._first])

    @property
    def failures(self) -> str:
        """host:port of every server, with what was wrong with it the last time."""
        return ", ".join(f"{server} {self._failures.get(i, '')}".rstrip() for i, server in enumerate(self._servers))

    def next(self, failure: str) -> None:
        """Tries another server first from now on: this one does not work, for a reason that follows its name."""
        self._failures[self._first] = failure
        self._first = (self._first + 1) % len(self._endpoints)

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        last = len(self._endpoints) - 1
        for attempt in range(last + 1):
            try:
                protocol = await self._connect_to_first(factory)
            except CancelledError:
                raise
            except Exception as error:
                self.next(_reason(error))
                if attempt == last:
                    raise
            else:
                self._failures.pop(self._first, None)
                return protocol
        raise AssertionError("there is at least one server")

    async def _connect_to_first(self, factory: IProtocolFactory) -> IProtocol:
        endpoint = self._endpoints[self._first]
        if self._tls is None:
            protocol: IProtocol = await endpoint.connect(factory)
            return protocol
        return await connect_by_tls(endpoint, self._tls, self._servers[self._first].host, factory, self._reactor)


def _reason(error: Exception) -> str:
    """Why a connection could not be made, to follow the server's name."""
    match error:
        case WrongServer():
            return f"cannot be used: {error}"
        case DNSLookupError():
            return "does not resolve"
        case ConnectionRefusedError():
            return "refuses connections"
        case TimeoutError():
            return f"does not answer within {CONNECT_TIMEOUT} s"
        case ConnectError(osError=int(number)):
            return f"cannot be reached: {os.strerror(number)}"
    return f"cannot be reached: {error}"


@provider(ILogObserver)
def _discard(_event: LogEvent) -> None:
    """Discards an event."""


class _QuietClientService(ClientService):
    """A ClientService without its log line for every attempt; LinkFactory logs changes instead."""

    _log = Logger(observer=_discard)


class LinkProtocol(FrameProtocol):
    """The agent's side of a link; a subclass adds `heartbeat_receivers` to its own."""

    factory: "LinkFactory"
    has_sent = False
    """Whether this side has sent a message."""
    refused_because = ""
    """Why the server has refused this connection, in its words; empty if it has not."""

    def send(self, message_id: MessageId, message: Message) -> None:
        self.has_sent = True
        super().send(message_id, message)

    def present(self, token: str) -> None:
        """Presents a token; to be called before anything is sent."""
        super().send(MessageId.HELLO, Hello(token=token))

    def on_hello(self, hello: Hello) -> None:
        """Notes why the server is about to close the connection."""
        self.refused_because = "".join(c for c in hello.refused[:LONGEST_REASON] if c.isprintable())

    def on_heartbeat(self, heartbeat: Heartbeat) -> None:
        """Notes that the server knows heartbeats, and of which kind it is."""
        self.factory.knows_heartbeats(self)
        self.factory.is_served_by(self, heartbeat.server)


heartbeat_receivers: Mapping[int, Receiver] = {
    MessageId.HEARTBEAT: LinkProtocol.on_heartbeat,
    MessageId.HELLO: LinkProtocol.on_hello,
}
"""What a subclass's `receivers` include."""


class LinkFactory(FrameFactory):
    """One connection to one of several servers, which `service`, a ClientService, makes again whenever it is lost.

    Retries after 0.1 s, growing to 5 s, with jitter; a lost link is logged on change. A server that accepts a
    connection and then closes it, as one at its limit does, is treated like one that does not answer.

    Args:
        what: the kind of server, for logs: "lars-dns".
        reactor: the reactor that connects.
        servers: where they listen, in the order in which they are tried; at least one.
        interval: seconds between heartbeats.
        credentials: what is shown to the server.
    """

    protocol: Callable[[], FrameProtocol]

    def __init__(
        self,
        what: str,
        reactor: IReactor,
        servers: Servers,
        interval: float = INTERVAL,
        credentials: Credentials = NO_CREDENTIALS,
    ) -> None:
        super().__init__(reactor)
        self._credentials = credentials
        self._refused = LogLimit(reactor.seconds)
        self._interval = interval
        self._linked_to: LinkProtocol | None = None
        self._pulse = LinkPulse(interval, reactor.seconds())
        self._silences: dict[str, int] = {}  # by server: connections in a row that were left because it was silent
        self.endpoint = FirstThatAnswers(reactor, servers, credentials.tls)
        self._what = what
        self._refusals = 0
        self._misplaced: FrameProtocol | None = None  # the last connection to a server of another kind
        self._linked_at = 0.0
        self._down = LogLimit(reactor.seconds)
        self._changes = LogLimit(reactor.seconds, burst=CHANGES)
        self._silent = LogLimit(reactor.seconds)
        self._delay = backoffPolicy(initialDelay=0.1, maxDelay=5.0, factor=1.5, jitter=lambda: random.random() / 4)
        self.service: ClientService = _QuietClientService(
            self.endpoint, self, retryPolicy=self._retry_after, clock=reactor, prepareConnection=self._linked
        )

    def joined(self, connection: FrameProtocol) -> None:
        super().joined(connection)
        self._linked_at = now = self.clock.seconds()
        self._linked_to = connection if isinstance(connection, LinkProtocol) else None
        self._pulse = LinkPulse(self._interval, now, 0 < self.silences < TRIES)
        if self._linked_to is not None and (token := self._credentials.token):
            self._linked_to.present(token)

    def left(self, connection: FrameProtocol) -> None:
        super().left(connection)
        if self._linked_to is connection:
            self._linked_to = None
        if isinstance(connection, LinkProtocol) and connection.refused_because:
            self._log_refusal(connection)
            self._refusals += 1
            self.endpoint.next("refuses this agent")
        elif (
            connection.is_new
            and not self._silences.get(connection.connected_to)
            and self.clock.seconds() - self._linked_at < REFUSAL
        ):
            self._refusals += 1
            self.endpoint.next(NO_WORD)
        elif connection is not self._misplaced:
            self._refusals = 0

    def tls_failed(self, connection: FrameProtocol, failed: str) -> None:
        """Notes why a server has ended a connection by TLS."""
        if isinstance(connection, LinkProtocol):
            connection.refused_because = connection.refused_because or failed

    def _log_refusal(self, connection: LinkProtocol) -> None:
        server = connection.connected_to
        if times := self._refused.admit(server):
            text = "{what} {server} refuses this agent: {reason}; trying again{again}"
            reason = connection.refused_because
            _log.error(text, what=self._what, server=server, reason=reason, again=_again(times))

    @property
    def up(self) -> bool:
        """Whether there is a connection, and its server is not one that was silent before and still is."""
        return self._linked_to is not None and (not self.silences or self._pulse.heard_at is not None)

    @property
    def server(self) -> str:
        """The server that is linked, as host:port; empty if none is."""
        return self._linked_to.connected_to if self._linked_to is not None else ""

    @property
    def silences(self) -> int:
        """Connections in a row, up to this one, that were left because the server that is linked was silent."""
        return self._silences.get(self._linked_to.connected_to, 0) if self._linked_to is not None else 0

    @property
    def heard_at(self) -> float | None:
        """When the server that is linked last sent anything."""
        return self._pulse.heard_at if self._linked_to is not None else None

    @property
    def server_knows_heartbeats(self) -> bool:
        """Whether the server that is linked has sent a heartbeat on this connection."""
        return self._linked_to is not None and self._pulse.knows

    def heard(self, connection: FrameProtocol) -> None:
        """Notes that the server is there."""
        first = self._pulse.heard_at is None
        self._pulse.heard(self.clock.seconds())
        if first and self._silences.pop(connection.connected_to, 0):
            self._log_link()

    def knows_heartbeats(self, connection: FrameProtocol) -> None:
        """Notes that the server sends heartbeats: from now on it is left when it does not."""
        if not self._pulse.knows:
            self._pulse.knows = True
            connection.peer_knows_heartbeats()

    def is_served_by(self, connection: FrameProtocol, kind: str) -> None:
        """Leaves a server of another kind, such as a reporter at the port of a dns; an older one says no `kind`."""
        if kind in ("", self._what):
            return
        server = connection.connected_to
        if times := self._silent.admit(server):
            text = "{server} is {kind}, not {what}: correct the agent's settings; trying the next server{again}"
            _log.error(text, server=server, kind=kind, what=self._what, again=_again(times))
        self._refusals += 1
        self._misplaced = connection
        self.endpoint.next(f"is {kind}")
        connection.end()

    def send_heartbeat(self) -> None:
        """Sends a heartbeat; the first one shows the server that this agent knows them, and C++ ones skip it."""
        if self._linked_to is not None:
            self._linked_to.send(MessageId.HEARTBEAT, Heartbeat(interval_ms=max(1, int(self._interval * 1000))))

    def watch(self) -> None:
        """Sends the heartbeat that is due, and leaves a server that is silent; called by timer.

        An agent with nothing to send begins with a heartbeat, which shows that it is there and knows them.
        """
        if self._linked_to is not None:
            if self._refusals and self.clock.seconds() - self._linked_at >= REFUSAL:
                self._refusals = 0
                self._log_link()
            if not self._linked_to.has_sent:
                self.send_heartbeat()
            due = self._pulse.tick(self.clock.seconds())
            if due is Due.HEARTBEAT:
                self.send_heartbeat()
            elif due is Due.LEAVE:
                self.leave("has sent nothing for", self._pulse.patience)

    def leave(self, silence: str, seconds: float) -> None:
        """Ends the connection to a silent server, and tries the next one first.

        Args:
            silence: what the server has not done, for the log: "has not answered for".
            seconds: for how long.
        """
        connection = self._linked_to
        if connection is None:
            return
        server = connection.connected_to
        self._silences[server] = self._silences.get(server, 0) + 1
        if times := self._silent.admit(server):
            text = "{what} {server} {silence} {seconds:g} s; trying the next server{again}"
            _log.warn(text, what=self._what, server=server, silence=silence, seconds=seconds, again=_again(times))
        self.endpoint.next(f"{silence} {seconds:g} s")
        connection.end()

    def speak_as_to_cpp(self) -> None:
        """Takes the server for a C++ one, which never says anything, until it says something."""
        if self._linked_to is not None and self.silences:
            self._silences[self._linked_to.connected_to] = TRIES
            self._pulse.expected = False

    def _linked(self, _protocol: IProtocol) -> None:
        if not self.silences and not self._refusals:
            self._log_link()

    def _log_link(self) -> None:
        self._down = LogLimit(self.clock.seconds)  # what is wrong from now on is new
        if times := self._changes.admit("up"):
            _log.info(
                "linked to {what} {server}{again}", what=self._what, server=self.endpoint.name, again=_again(times)
            )

    def _retry_after(self, failures: int) -> float:
        failures += self._refusals
        if failures and self._down.admit(self.endpoint.failures) and (times := self._changes.admit("down")):
            text = "no {what} answers: {servers}; trying again{again}"
            _log.warn(text, what=self._what, servers=self.endpoint.failures, again=_again(times))
        return self._delay(failures)


def _again(times: int) -> str:
    return f" ({times} such since the last line)" if times > 1 else ""
