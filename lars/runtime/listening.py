"""Opens and closes the place where a service listens, with a one-line reason when that fails.

A fleet that connects at once, after a restart, waits in the kernel: no SYN is dropped, and no turn of the reactor
accepts more connections than it can serve soon. Connections leave the files that metrics and database need.
"""

from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
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

from lars.errors import LarsError
from lars.runtime.file_limit import check_file_limit, lowest_free_file
from lars.runtime.log_limit import LogLimit
from lars.runtime.reactor import IReactor

_log = Logger()

BACKLOG = 4096
"""Connections that wait to be accepted, unless the endpoint string says otherwise. With Twisted's 50 the kernel drops
SYNs of the rest, and their clients try again after 1, 3, 7 … seconds."""

ACCEPTS = 50
"""Connections accepted in one turn of the reactor: with the first requests of as many, some ten milliseconds."""


class CannotListen(LarsError):
    """A listening place is taken, or not an address of this machine."""


async def listen(reactor: IReactor, place: str, factory: IProtocolFactory, max_connections: int = 0) -> IListeningPort:
    """Listens at a Twisted endpoint string; raises CannotListen, naming place and reason.

    With `max_connections`, which the factory enforces, the limit of open files is raised as far as it may be, and
    connections beyond what it has room for are closed. 0 is for few connections, which may use the last files.
    """
    usable_files = check_file_limit(place, max_connections) if max_connections else 0
    accepting = _Accepting(factory, reactor, usable_files)
    try:
        port: IListeningPort = await serverFromString(reactor, _with_backlog(place)).listen(accepting)
    except (CannotListenError, OSError, OverflowError) as error:
        cause = getattr(error, "socketError", error)
        reason = getattr(cause, "strerror", None) or str(cause)
        raise CannotListen(f"cannot listen on {place}: {reason}; choose another place or stop what is there") from None
    accepting.bound(port)
    return port


async def stop_listening(port: IListeningPort | None) -> None:
    """Accepts no more connections; returns when the place is free again."""
    if port is not None:
        await maybeDeferred(port.stopListening)


def _with_backlog(place: str) -> str:
    takes_one = place.startswith(("tcp:", "tcp6:", "ssl:", "unix:"))
    return f"{place}:backlog={BACKLOG}" if takes_one and ":backlog=" not in place else place


@implementer(IProtocolFactory, ILoggingContext)
class _Accepting:
    """A factory behind a port, which it keeps from accepting ever more in one turn: Twisted's own limit grows by 20
    each time it is met, until a turn takes a second."""

    def __init__(self, factory: IProtocolFactory, clock: IReactorTime, usable_files: int = 0) -> None:
        self._factory = factory
        self._clock = clock
        self._usable_files = usable_files  # 0: all
        self._log_limit = LogLimit(clock.seconds)
        self._port: Any = None
        self._bound_again = False

    def bound(self, port: Any) -> None:
        """Takes the port, which is listening, and limits what it accepts in a turn."""
        self._port = port
        self._bind()

    def _bind(self) -> None:
        self._bound_again = False
        self._port.numberAccepts = min(getattr(self._port, "numberAccepts", ACCEPTS), ACCEPTS)

    def logPrefix(self) -> str:
        return type(self._factory).__name__

    def doStart(self) -> None:
        self._factory.doStart()

    def doStop(self) -> None:
        self._factory.doStop()

    def buildProtocol(self, addr: IAddress) -> IProtocol | None:
        if self._port is not None and not self._bound_again:
            self._bound_again = True
            self._clock.callLater(0, self._bind)
        if self._usable_files and self._port is not None and self._files_are_used():
            self._log_refused(addr)
            return None
        return self._factory.buildProtocol(addr)

    def _files_are_used(self) -> bool:
        try:
            return lowest_free_file(self._port.fileno()) >= self._usable_files
        except OSError:
            return True

    def _log_refused(self, addr: IAddress) -> None:
        if times := self._log_limit.admit("refused"):
            _log.warn(
                "connection from {peer} closed: this process has {files} files open, as many as it uses for "
                "connections; raise its limit of open files ({times} such since the last line)",
                peer=getattr(addr, "host", addr),
                files=self._usable_files,
                times=times,
            )
