"""A worker's side of the supervision: which shard it is, and that it ends with its supervisor."""

import os
from contextlib import suppress

from twisted.internet.error import ReactorNotRunning
from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from lars.runtime.reactor import IReactor

WORKER = "LARS_AGENT_WORKER"
"""The environment variable in which the supervisor gives a process the number of its shard."""


@implementer(IReadDescriptor)
class ParentWatch:
    """Ends a worker with its supervisor, which holds the other end of the worker's standard input."""

    def __init__(self, reactor: IReactor) -> None:
        self._reactor = reactor
        reactor.addReader(self)

    def fileno(self) -> int:
        return 0

    def logPrefix(self) -> str:
        return "parent"

    def doRead(self) -> None:
        if not os.read(0, 4096):
            self._reactor.removeReader(self)
            self._end()

    def connectionLost(self, reason: Failure) -> None:
        """Ends the worker; also called by the reactor as it ends."""
        self._end()

    def _end(self) -> None:
        with suppress(ReactorNotRunning):
            self._reactor.stop()
