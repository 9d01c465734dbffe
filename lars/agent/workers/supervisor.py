"""Starts one process a shard, restarts those that end, and stops them all (docs/design/agent.md, workers)."""

import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence

from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.runner.procmon import ProcessMonitor

from lars.agent.settings import SHARDS, AgentSettings
from lars.agent.udp_port import refuse_taken
from lars.agent.workers.metrics import WorkerMetrics
from lars.agent.workers.worker import WORKER
from lars.metrics.endpoint import MetricsEndpoint
from lars.metrics.registry import new_registry
from lars.route import HostAddress
from lars.runtime.reactor import IReactor
from lars.runtime.service import AsyncService

_log = Logger()

MAX_RESTART_DELAY = 5.0
"""Seconds at most before a worker that keeps ending is started again."""

END_TIME = 4.0
"""Seconds that a worker has to send its last reports before it is killed."""


class WorkersService(AsyncService):
    """Three processes of one shard each, supervised. What they log is logged here under their names.

    Args:
        settings: those of the agent; the workers resolve the same from `options`.
        options: the command line's options for the workers, without --metrics and --workers.
        environ: the environment for them.
        reactor: the reactor that starts them.
    """

    name = "lars-agent"

    def __init__(
        self, settings: AgentSettings, options: Sequence[str], environ: Mapping[str, str], reactor: IReactor
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
        self._worker_metrics = WorkerMetrics(reactor)
        registry.register(self._worker_metrics)
        self._metrics = MetricsEndpoint(reactor, settings.metrics, registry, self._worker_metrics.not_ready)

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
            self._worker_metrics.start(sockets)
        _log.info("lars-agent runs as {count} processes, one for each shard", count=SHARDS)

    def _refuse_taken_ports(self) -> None:
        """Raises CannotListen for a port that another program has, before the workers fail one by one."""
        ip, first = self._settings.listen
        for number in range(SHARDS):
            refuse_taken(HostAddress(ip, first + number))

    async def stop(self) -> None:
        await self._worker_metrics.stop()
        if self._monitor.running:
            self._monitor.stopService()
        while self._monitor.protocols:
            await deferLater(self.reactor, 0.02)
        await self._metrics.stop()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


_TWISTD = "from twisted.scripts.twistd import run; run()"
