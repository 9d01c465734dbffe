"""A lars-reporter process for a test."""

from collections.abc import Callable

from tests.integration.processes import TwistdService
from tests.integration.running_service import RunningService

FAST = ("--flush-interval=0.05", "--alarm-interval=0.1")
"""Short intervals, so that tests do not wait."""


class RunningReporter(RunningService):
    """One lars-reporter on ports of its own, the same after each start."""

    def __init__(
        self, start_service: Callable[..., TwistdService], database_url: str, *options: str, name: str = "lars-reporter"
    ) -> None:
        super().__init__(start_service, "lars-reporter", database_url, *FAST, *options, name=name)

    def number(self, name: str, **labels: str) -> float:
        """One sample of /metrics, without its lars_reporter_."""
        return super().number(f"lars_reporter_{name}", **labels)
