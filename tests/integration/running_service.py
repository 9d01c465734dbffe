"""A service under test on ports of its own: its metrics, its health and what it logs of its database."""

import re
from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from bench.processes.http import get
from bench.processes.ports import ReservedPort
from tests.integration.processes import TwistdService


class RunningService:
    """One service that serves a TCP port and has metrics on another, both the same after each start."""

    def __init__(
        self, start_service: Callable[..., TwistdService], plugin: str, database_url: str, *options: str, name: str = ""
    ) -> None:
        self._plugin = plugin
        self._ports = listen, metrics = ReservedPort(), ReservedPort()
        self.port, self.metrics_port = listen.number, metrics.number
        own = [f"--db={database_url}", f"--listen={listen.endpoint}", f"--metrics={metrics.endpoint}"]
        self.service = start_service(plugin, *own, *options, name=name)

    async def up(self, times: int = 1, deadline: float = 10.0) -> None:
        """Waits until it listens, for the first time or after a start again."""
        await self.service.says(f"{self._plugin} answers on", times, deadline)

    def page(self, path: str) -> tuple[int, str]:
        """The status and text of /metrics, /healthz or /readyz; waits for it."""
        return get(self.metrics_port, path)

    def number(self, name: str, **labels: str) -> float:
        """One sample of /metrics."""
        families = list(text_string_to_metric_families(self.page("/metrics")[1]))
        samples = [s for family in families for s in family.samples if s.name == name and s.labels == labels]
        assert len(samples) == 1, f"{name} {labels}: {len(samples)} samples"
        return float(samples[0].value)

    def said(self, logger: str) -> list[str]:
        """What one logger and level said, such as "lars.db.faults#warn", without the times."""
        return re.findall(rf"^\S+ \[{re.escape(logger)}\] (.*)$", self.service.log(), re.M)

    @property
    def faults(self) -> list[str]:
        """What it logged of a database that fails."""
        return self.said("lars.db.faults#warn")

    @property
    def recoveries(self) -> int:
        """How often it logged that the database answers again."""
        return self.service.log().count("the database answers again")

    def close(self) -> None:
        for port in self._ports:
            port.close()
