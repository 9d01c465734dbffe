"""Who may use a port of a service: decided here for every service, counted, and logged within bounds.

See docs/security.md, who may connect.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

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

from lars.networks import ANY, NONE, Networks, is_loopback
from lars.runtime.log_limit import LogLimit
from lars.runtime.this_machine import is_of_this_machine
from lars.runtime.tls import Tls, TlsFiles, tls_of
from lars.runtime.token_file import TokenFile

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
        tokens: of which a peer must present one; None: no token is needed.
        without_token: the networks whose peers need none.
        tls: the certificates of a port that speaks TLS; None: it does not.
    """

    def __init__(
        self,
        service: str,
        clock: IReactorTime,
        allow: Networks = ANY,
        and_this_machine: bool = False,
        tokens: TokenFile | None = None,
        without_token: Networks = NONE,
        tls: Tls | None = None,
    ) -> None:
        self._clock = clock
        self.tls = tls
        self._tokens = tokens
        self._without_token = without_token
        self.bad_token = 0
        """Connections whose token was wrong or missing."""
        self._service = service
        self._and_this_machine = and_this_machine
        self._allow = allow
        self._log_limit = LogLimit(clock.seconds)
        self._known: dict[str, bool] = {}
        self.not_allowed = 0
        """Connections and datagrams from addresses that are not in `allow`."""

    @property
    def reloads(self) -> Sequence[Callable[[], None]]:
        """What reads changed files again."""
        return [files.reload for files in (self._tokens, self.tls) if files is not None]

    def fault(self) -> str:
        """Why no peer can connect any more; empty while they can."""
        return self.tls.fault() if self.tls is not None else ""

    def dropped(self) -> Mapping[str, int]:
        """What was refused, by the name of the reason."""
        return {"not_allowed": self.not_allowed, "bad_token": self.bad_token}

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

    def needs_token(self, host: str) -> bool:
        """Whether a peer must present a token."""
        return self._tokens is not None and host not in self._without_token

    def refusal(self, peer: str, token: str) -> str:
        """Why a token, empty for none, is refused; empty if it is accepted. A refusal is counted."""
        if self._tokens is None or self._tokens.accepts(token):
            return ""
        reason = "its token is not one of token_file" if token else "it presents no token, and token_file demands one"
        self.bad_token += 1
        if times := self._log_limit.admit("bad token"):
            text = "{service}: {peer} refused: {reason} ({times} such since the last line)"
            _log.warn(text, service=self._service, peer=peer, reason=reason, times=times)
        return reason

    def guarded(self, factory: IProtocolFactory) -> IProtocolFactory:
        """A factory that builds a protocol only for the connections that may be there; to be listened with."""
        if self.tls is not None:
            factory = self.tls.served(factory, self._clock)
        return factory if self._allow == ANY else _Guarded(factory, self)

    def listens(self, port: IListeningPort) -> None:
        """Logs who may connect to a port, if other machines can reach it."""
        where = port.getHost()
        if isinstance(where, IPv4Address | IPv6Address) and not is_loopback(where.host):
            self.is_open_on(where.host)

    def is_open_on(self, host: str) -> None:
        """Logs who may use an address that other machines can reach."""
        if self._allow == ANY and self._tokens is None and self.tls is None:
            text = "{service}: every machine that reaches {host} may use it; allow names the networks that may"
            _log.warn(text, service=self._service, host=host)
        else:
            text = "{service}: on {host} for {allow}{proofs}"
            proofs = ", with a certificate of tls_ca" if self.tls is not None else ""
            proofs += ", with a token" if self._tokens is not None else ""
            _log.info(text, service=self._service, host=host, allow=str(self._allow), proofs=proofs)


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


class PortRules(Protocol):
    """The settings of a service that say who may use its port."""

    @property
    def allow(self) -> Networks: ...
    @property
    def token_file(self) -> str: ...
    @property
    def allow_without_token(self) -> Networks: ...
    @property
    def tls_cert(self) -> str: ...
    @property
    def tls_key(self) -> str: ...
    @property
    def tls_ca(self) -> str: ...


def admission_to(service: str, clock: IReactorTime, rules: PortRules, wall_clock: Callable[[], float]) -> Admission:
    """The Admission of a service; raises TokenFileError or TlsFilesError."""
    tokens = TokenFile(rules.token_file) if rules.token_file else None
    tls = tls_of(TlsFiles(rules.tls_cert, rules.tls_key, rules.tls_ca), clock, wall_clock)
    return Admission(service, clock, rules.allow, False, tokens, rules.allow_without_token, tls)
