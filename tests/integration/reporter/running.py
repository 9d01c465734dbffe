"""A lars-reporter process for a test: its port, metrics and health."""

import re
import urllib.error
import urllib.request
from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from tests.integration.processes import ReservedPort, TwistdService

FAST = ("--flush-interval=0.05", "--alarm-interval=0.1")
"""Short intervals, so that tests do not wait."""


class RunningReporter:
    """One lars-reporter on ports of its own, the same after each start."""

    def __init__(
        self, start_service: Callable[..., TwistdService], database_url: str, *options: str, name: str = "lars-reporter"
    ) -> None:
        self._ports = ReservedPort(), ReservedPort()
        self.port, self.metrics_port = (port.number for port in self._ports)
        self.service = start_service(
            "lars-reporter",
            "--db",
            database_url,
            f"--listen=tcp:{self.port}:interface=127.0.0.1",
            f"--metrics=tcp:{self.metrics_port}:interface=127.0.0.1",
            *FAST,
            *options,
            name=name,
        )

    async def up(self, times: int = 1, deadline: float = 10.0) -> None:
        """Waits until it listens, for the first time or after a start again."""
        await self.service.says("lars-reporter answers on", times, deadline)

    def page(self, path: str) -> tuple[int, str]:
        """The status and text of /metrics, /healthz or /readyz; waits for it."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def number(self, name: str, **labels: str) -> float:
        """One sample of /metrics, without its lars_reporter_."""
        families = list(text_string_to_metric_families(self.page("/metrics")[1]))
        name = f"lars_reporter_{name}"
        samples = [s for family in families for s in family.samples if s.name == name and s.labels == labels]
        assert len(samples) == 1, f"{name} {labels}: {len(samples)} samples"
        return float(samples[0].value)

    def faults(self) -> list[str]:
        """The warnings about a database that fails."""
        return re.findall(r"^\S+ \[lars\.db\.faults#warn\] (.*)$", self.service.log(), re.M)

    @property
    def recoveries(self) -> int:
        """How often it logged that the database answers again."""
        return self.service.log().count("the database answers again")

    def close(self) -> None:
        for port in self._ports:
            port.close()
