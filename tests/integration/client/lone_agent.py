"""A real lars-agent that knows its routes from a file, with nothing to link to."""

import re
from collections.abc import Mapping
from pathlib import Path

from twisted.internet.threads import deferToThread

from bench.processes.agent_state import save_agent_routes
from bench.processes.http import get
from lars.route import HostAddress, ModuleId
from tests.integration.fleet import StartService
from tests.integration.processes import ReservedPort, TwistdService, free_udp_base


class LoneAgent:
    """Not started yet: `start` does that."""

    def __init__(
        self, start_service: StartService, folder: Path, routes: Mapping[ModuleId, list[HostAddress]], *options: str
    ) -> None:
        self.state_dir = str(folder / "state")
        save_agent_routes(self.state_dir, routes)
        self.port = free_udp_base(3)
        self.address = f"127.0.0.1:{self.port}"
        self._start_service = start_service
        self._options = options
        self._metrics = ReservedPort()
        self.process: TwistdService | None = None

    def start(self) -> TwistdService:
        """Starts it, the first time or again."""
        if self.process is not None:
            self.process.start()
            return self.process
        self.process = self._start_service(
            "lars-agent",
            f"--listen={self.address}",
            "--dns=127.0.0.1:1",
            "--reporter=127.0.0.1:1",
            f"--state-dir={self.state_dir}",
            f"--metrics={self._metrics.endpoint}",
            *self._options,
        )
        return self.process

    async def up(self) -> TwistdService:
        """Starts it and waits until it answers."""
        process = self.start()
        await process.says("lars-agent answers on", times=process.log().count("lars-agent answers on") + 1)
        return process

    async def counted(self, name: str) -> int:
        """One of its counters, such as lars_agent_reports_total."""
        _status, page = await deferToThread(get, self._metrics.number, "/metrics")
        found = re.search(rf"^{re.escape(name)} ([0-9.e+]+)$", page, re.MULTILINE)
        assert found is not None, name
        return int(float(found[1]))

    def close(self) -> None:
        self._metrics.close()
