"""A link to one of several servers: connects, stays while the server works, and reconnects by itself.

See docs/design/agent.md, links.
"""

import random
from collections.abc import Callable

from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.logger import ILogObserver, LogEvent, Logger
from zope.interface import implementer, provider

from lars.agent.settings import Servers
from lars.runtime.log_limit import LogLimit
from lars.runtime.reactor import IReactor
from lars.wire.factory import FrameFactory
from lars.wire.protocol import FrameProtocol

_log = Logger()

CHANGES = 5
"""Lines a minute that say that a link is up, and as many that it is down: one that flaps must not flood the log."""

REFUSAL = 5.0
"""Seconds within which a server that closes the connection, and has sent nothing, has refused it."""

CONNECT_TIMEOUT = 3
"""Seconds to wait for a connection before the next server is tried."""


@implementer(IStreamClientEndpoint)
class FirstThatAnswers:
    """Several servers as one endpoint: tries the one that worked last first, then the others in turn."""

    def __init__(self, reactor: IReactor, servers: Servers) -> None:
        self._servers = servers
        self._endpoints = [HostnameEndpoint(reactor, host, port, CONNECT_TIMEOUT) for host, port in servers]
        self._first = 0

    @property
    def name(self) -> str:
        """host:port of the server that is tried first."""
        return str(self._servers[self._first])

    @property
    def names(self) -> str:
        """host:port of every server."""
        return ", ".join(map(str, self._servers))

    def next(self) -> None:
        """Tries another server first from now on: the connected one does not work."""
        self._first = (self._first + 1) % len(self._endpoints)

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        last = len(self._endpoints) - 1
        for attempt in range(last + 1):
            try:
                protocol: IProtocol = await self._endpoints[self._first].connect(factory)
            except Exception:
                self.next()
                if attempt == last:
                    raise
            else:
                return protocol
        raise AssertionError("there is at least one server")


@provider(ILogObserver)
def _discard(_event: LogEvent) -> None:
    """Discards an event."""


class _QuietClientService(ClientService):
    """A ClientService without its log line for every attempt; LinkFactory logs changes instead."""

    _log = Logger(observer=_discard)


class LinkFactory(FrameFactory):
    """One connection to one of several servers, which `service`, a ClientService, makes again whenever it is lost.

    Retries after 0.1 s, growing to 5 s, with jitter; a lost link is logged on change. A server that accepts a
    connection and then closes it, as one at its limit does, is treated like one that does not answer.

    Args:
        what: the kind of server, for logs: "lars-dns".
        reactor: the reactor that connects.
        servers: where they listen, in the order in which they are tried; at least one.
    """

    protocol: Callable[[], FrameProtocol]

    def __init__(self, what: str, reactor: IReactor, servers: Servers) -> None:
        super().__init__(reactor)
        self.endpoint = FirstThatAnswers(reactor, servers)
        self._what = what
        self._refusals = 0
        self._linked_at = 0.0
        self._down = LogLimit(reactor.seconds)
        self._changes = LogLimit(reactor.seconds, burst=CHANGES)
        self._delay = backoffPolicy(initialDelay=0.1, maxDelay=5.0, factor=1.5, jitter=lambda: random.random() / 4)
        self.service: ClientService = _QuietClientService(
            self.endpoint, self, retryPolicy=self._retry_after, clock=reactor, prepareConnection=self._linked
        )

    def joined(self, connection: FrameProtocol) -> None:
        super().joined(connection)
        self._linked_at = self.clock.seconds()

    def left(self, connection: FrameProtocol) -> None:
        super().left(connection)
        if connection.is_new and self.clock.seconds() - self._linked_at < REFUSAL:
            self._refusals += 1
            self.endpoint.next()
        else:
            self._refusals = 0

    def _linked(self, _protocol: IProtocol) -> None:
        if not self._refusals:
            self._down.clear("")
        if times := self._changes.admit("up"):
            _log.info(
                "linked to {what} {server}{again}", what=self._what, server=self.endpoint.name, again=_again(times)
            )

    def _retry_after(self, failures: int) -> float:
        failures += self._refusals
        if failures and self._down.admit("") and (times := self._changes.admit("down")):
            text = "no {what} answers ({servers}); trying again{again}"
            _log.warn(text, what=self._what, servers=self.endpoint.names, again=_again(times))
        return self._delay(failures)


def _again(times: int) -> str:
    return f" ({times} such since the last line)" if times > 1 else ""
