"""Connects by TLS: a link's protocol is made once the server has shown the right certificate.

A ClientService must not see a connection that is lost before then (docs/security.md, TLS).
"""

from typing import Any, cast

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.interfaces import (
    IHandshakeListener,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from lars.errors import LarsError
from lars.runtime.tls import Tls
from lars.runtime.tls_errors import what_failed

HANDSHAKE_TIMEOUT = 20
"""Seconds for a handshake: a server that starts again has that of a whole fleet to make."""


class WrongServer(LarsError):
    """A server is not the right one, or does not speak TLS."""


@implementer(IHandshakeListener)
class _Handshake(Protocol):
    """What a TLS connection is until its handshake has ended; `ended` fires then, or fails with WrongServer."""

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()

    def handshakeCompleted(self) -> None:
        """Called by TLS; with TLS 1.3 the server may still refuse this side's certificate."""
        if not self.ended.called:
            self.ended.callback(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.ended.called:
            failed = what_failed(self.transport, reason)
            self.ended.errback(WrongServer(failed or "it closes the connection in the TLS handshake: has it TLS?"))


class _HandshakeFactory(Factory):
    protocol = _Handshake
    noisy = False


async def connect_by_tls(
    endpoint: IStreamClientEndpoint, tls: Tls, host: str, factory: IProtocolFactory, clock: IReactorTime
) -> IProtocol:
    """A protocol of the factory, connected to the server of this name; raises WrongServer."""
    secured = wrapClientTLS(tls.to(host), endpoint)
    handshake = cast(_Handshake, await secured.connect(_HandshakeFactory()))
    transport = cast(TLSMemoryBIOProtocol, handshake.transport)
    try:
        await handshake.ended.addTimeout(HANDSHAKE_TIMEOUT, clock)
    except TimeoutError:
        transport.abortConnection()
        raise WrongServer(f"it has made no TLS handshake for {HANDSHAKE_TIMEOUT} s") from None
    except BaseException:
        transport.abortConnection()
        raise
    protocol: Any = factory.buildProtocol(transport.getPeer())
    transport.wrappedProtocol = protocol
    protocol.makeConnection(transport)
    return cast(IProtocol, protocol)
