"""The agent as a process a shard: starts them, watches over them, and ends them (docs/design/agent.md, workers)."""

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from twisted.internet.error import ReactorNotRunning
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.runner.procmon import ProcessMonitor
from zope.interface import implementer

from lars.agent.port import ShardPort
from lars.agent.settings import SHARDS, AgentSettings
from lars.agent.worker_numbers import WorkerNumbers
from lars.metrics.endpoint import MetricsEndpoint
from lars.metrics.registry import new_registry
from lars.route import HostAddress
from lars.runtime.service import AsyncService

_log = Logger()

WORKER = "LARS_AGENT_WORKER"
"""Environment variable that tells a process which shard it is to be; set by the process that starts it."""

MAX_RESTART_DELAY = 5.0
"""Seconds at most before a worker that ends at once again and again is started anew."""

END_TIME = 4.0
"""Seconds that a worker has to send its last reports before it is killed."""


class WorkersService(AsyncService):
    """Three processes of one shard each, supervised; what they log is logged here under their names.

    Args:
        settings: the agent's; the workers resolve the same from `options`.
        options: the command line's options for the workers, without --metrics and --workers.
        environ: the environment for them.
        reactor: the reactor that starts them.
    """

    name = "lars-agent"

    def __init__(
        self, settings: AgentSettings, options: Sequence[str], environ: Mapping[str, str], reactor: Any
    ) -> None:
        super().__init__(reactor)
        self._settings = settings
        self._options = options
        self._environ = environ
        self._monitor = ProcessMonitor(reactor)
        self._monitor.threshold = 2
        self._monitor.minRestartDelay = 0.5  # type: ignore[assignment]  # any number of seconds
        self._monitor.maxRestartDelay = MAX_RESTART_DELAY  # type: ignore[assignment]
        self._monitor.killTime = END_TIME  # type: ignore[assignment]
        self._folder = ""
        registry = new_registry(self.name)
        self._numbers = WorkerNumbers(reactor)
        registry.register(self._numbers)
        self._metrics = MetricsEndpoint(reactor, settings.metrics, registry, self._numbers.not_ready)

    async def start(self) -> None:
        self._refuse_taken_ports()
        await self._metrics.start()
        self._folder = tempfile.mkdtemp(prefix="lars-agent-")
        sockets = {shard: f"{self._folder}/{shard}.sock" for shard in range(SHARDS)}
        for shard, path in sockets.items():
            own = [f"--metrics=unix:{path}"] if self._settings.metrics else ["--metrics="]
            self._monitor.addProcess(
                f"shard-{shard}",
                [sys.executable, "-c", _TWISTD, "-n", "--pidfile=", "lars-agent", *self._options, "--workers=1", *own],
                env={**self._environ, WORKER: str(shard)},
            )
        self._monitor.startService()
        if self._settings.metrics:
            self._numbers.start(sockets)
        _log.info("lars-agent runs as {count} processes, one a shard", count=SHARDS)

    def _refuse_taken_ports(self) -> None:
        """Raises CannotListen for a port that another program has: the workers would only fail one by one."""
        ip, first = self._settings.listen
        for number in range(SHARDS):
            ShardPort.probe(HostAddress(ip, first + number))

    async def stop(self) -> None:
        self._numbers.stop()
        if self._monitor.running:
            self._monitor.stopService()
        while self._monitor.protocols:
            await deferLater(self.reactor, 0.02)
        await self._metrics.stop()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


_TWISTD = "from twisted.scripts.twistd import run; run()"


@implementer(IReadDescriptor)
class ParentWatch:
    """Ends a worker with the process that started it: that one holds the other end of the worker's standard input."""

    def __init__(self, reactor: Any) -> None:
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
        """The other end is closed; also called by the reactor as it ends."""
        self._end()

    def _end(self) -> None:
        with suppress(ReactorNotRunning):
            self._reactor.stop()
