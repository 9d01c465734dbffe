"""Who may use a port of a service: decided here for every service, counted, and logged within bounds.

See docs/security.md, who may connect.
"""

from collections.abc import Mapping

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    ILoggingContext,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
)
from twisted.logger import Logger
from zope.interface import implementer

from lars.networks import ANY, Networks, is_loopback
from lars.runtime.log_limit import LogLimit
from lars.runtime.this_machine import is_of_this_machine

_log = Logger()

CAPACITY = 4096
"""Addresses whose answer is remembered; a forged source address costs nothing."""


class Admission:
    """The rules of one service for its peers.

    Args:
        service: its name, for logs.
        clock: the reactor, or a Clock in tests.
        allow: the networks that peers connect, or send datagrams, from.
        and_this_machine: whether this machine may, also where it is not in `allow`.
    """

    def __init__(
        self, service: str, clock: IReactorTime, allow: Networks = ANY, and_this_machine: bool = False
    ) -> None:
        self._service = service
        self._and_this_machine = and_this_machine
        self._allow = allow
        self._log_limit = LogLimit(clock.seconds)
        self._known: dict[str, bool] = {}
        self.not_allowed = 0
        """Connections and datagrams from addresses that are not in `allow`."""

    def dropped(self) -> Mapping[str, int]:
        """What was refused, by the name of the reason."""
        return {"not_allowed": self.not_allowed}

    def admits(self, host: str) -> bool:
        """Whether an address may connect, or send a datagram; one that may not is counted.

        A peer without an IP address, on a UNIX socket, is admitted: the rights of the file decide.
        """
        if self._allow == ANY or not host:
            return True
        admitted = self._known.get(host)
        if admitted is None:
            if len(self._known) >= CAPACITY:
                self._known.clear()
            admitted = host in self._allow or (self._and_this_machine and is_of_this_machine(host))
            self._known[host] = admitted
        if not admitted:
            self.not_allowed += 1
            if times := self._log_limit.admit("not allowed"):
                text = "{service}: {host} refused: it is not in allow ({times} such since the last line)"
                _log.warn(text, service=self._service, host=host, times=times)
        return admitted

    def guarded(self, factory: IProtocolFactory) -> IProtocolFactory:
        """A factory that builds a protocol only for the connections that may be there; to be listened with."""
        return factory if self._allow == ANY else _Guarded(factory, self)

    def listens(self, port: IListeningPort) -> None:
        """Logs who may connect to a port, if other machines can reach it."""
        where = port.getHost()
        if isinstance(where, IPv4Address | IPv6Address) and not is_loopback(where.host):
            self.is_open_on(where.host)

    def is_open_on(self, host: str) -> None:
        """Logs who may use an address that other machines can reach."""
        if self._allow == ANY:
            text = "{service}: every machine that reaches {host} may use it; allow names the networks that may"
            _log.warn(text, service=self._service, host=host)
        else:
            _log.info("{service}: on {host} for {allow}", service=self._service, host=host, allow=str(self._allow))


@implementer(IProtocolFactory, ILoggingContext)
class _Guarded:
    """A factory for the connections that its Admission admits; the others are closed."""

    def __init__(self, factory: IProtocolFactory, admission: Admission) -> None:
        self._factory = factory
        self._admission = admission

    def logPrefix(self) -> str:
        return type(self._factory).__name__

    def doStart(self) -> None:
        self._factory.doStart()

    def doStop(self) -> None:
        self._factory.doStop()

    def buildProtocol(self, addr: IAddress) -> IProtocol | None:
        host = addr.host if isinstance(addr, IPv4Address | IPv6Address) else ""
        return self._factory.buildProtocol(addr) if self._admission.admits(host) else None
