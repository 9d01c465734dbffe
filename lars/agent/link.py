"""A link to one of several servers: connects, sticks while it works, and comes back by itself (design 7)."""

import random
from typing import Any

from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.logger import ILogObserver, LogEvent, Logger
from zope.interface import implementer, provider

from lars.agent.settings import Servers
from lars.log_limit import LogLimit

_log = Logger()

CHANGES = 5
"""Times a minute that a link is said to be up, and to be down: one that flaps is not to flood the log."""

CONNECT_TIMEOUT = 3
"""Seconds to wait for a connection before the next server is tried."""


@implementer(IStreamClientEndpoint)
class FirstThatAnswers:
    """Several servers as one endpoint: the one that worked last is tried first, then the others in turn."""

    def __init__(self, reactor: Any, servers: Servers) -> None:
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
        """The server that is connected does not do its work: another one is to be tried first."""
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
def _unheard(_event: LogEvent) -> None:
    """Drops an event."""


class _QuietClientService(ClientService):
    """ClientService logs every attempt, many times a minute; here a link that is down is told of on change."""

    _log = Logger(observer=_unheard)


def link_service(what: str, reactor: Any, endpoint: FirstThatAnswers, factory: IProtocolFactory) -> ClientService:
    """A ClientService that keeps one connection of the factory's protocol to one of the servers.

    Retries after 0.1 s, growing to 5 s, with jitter; a lost link is logged on change.
    """
    down = LogLimit(reactor.seconds)
    changes = LogLimit(reactor.seconds, burst=CHANGES)

    def connected(protocol: IProtocol) -> None:
        down.clear("")
        if times := changes.tell("up"):
            _log.info("linked to {what} {server}{again}", what=what, server=endpoint.name, again=_again(times))

    policy = backoffPolicy(initialDelay=0.1, maxDelay=5.0, factor=1.5, jitter=lambda: random.random() / 4)

    def retry(failures: int) -> float:
        if failures and down.tell("") and (times := changes.tell("down")):
            text = "no {what} answers ({servers}); trying again{again}"
            _log.warn(text, what=what, servers=endpoint.names, again=_again(times))
        return policy(failures)

    return _QuietClientService(endpoint, factory, retryPolicy=retry, clock=reactor, prepareConnection=connected)


def _again(times: int) -> str:
    return f" ({times} such since the last line)" if times > 1 else ""
