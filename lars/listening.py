"""Opens and closes a service's listening place, with a one-line reason when it cannot be had."""

from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory

from lars.errors import LarsError


class CannotListen(LarsError):
    """A listening place is taken or not ours."""


async def listen(reactor: Any, place: str, factory: Factory) -> IListeningPort:
    """Listens at a Twisted endpoint string; raises CannotListen, naming place and reason."""
    try:
        port: IListeningPort = await serverFromString(reactor, place).listen(factory)
    except (CannotListenError, OSError, OverflowError) as error:
        cause = getattr(error, "socketError", error)
        reason = getattr(cause, "strerror", None) or str(cause)
        raise CannotListen(f"cannot listen on {place}: {reason}; choose another place or stop what is there") from None
    return port


async def stop_listening(port: IListeningPort | None) -> None:
    """Takes no more connections there; returns when the place is free again."""
    if port is not None:
        await maybeDeferred(port.stopListening)
