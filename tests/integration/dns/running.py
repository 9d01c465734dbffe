"""A lars-dns process for a test: its port, its numbers and health, what it says of its database, and its routes."""

import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping

from prometheus_client.parser import text_string_to_metric_families

from lars.db.database import Database
from lars.db.routes import RouteEdit, RouteStore
from lars.route import HostAddress, ModuleId
from tests.integration.processes import ReservedPort, TwistdService

FAST = ("--poll-interval=0.05", "--reload-interval=0.3")
"""Looks twenty times a second, so that tests need not wait."""


class RunningDns:
    """One lars-dns on ports of its own, the same after each start."""

    def __init__(
        self,
        start_service: Callable[..., TwistdService],
        database_url: str,
        *options: str,
        name: str = "lars-dns",
        fast: bool = True,
    ) -> None:
        self._ports = ReservedPort(), ReservedPort()
        self.port, self.metrics_port = (port.number for port in self._ports)
        self.service = start_service(
            "lars-dns",
            "--db",
            database_url,
            f"--listen=tcp:{self.port}:interface=127.0.0.1",
            f"--metrics=tcp:{self.metrics_port}:interface=127.0.0.1",
            *(FAST if fast else ()),
            *options,
            name=name,
        )

    async def up(self, times: int = 1, deadline: float = 10.0) -> None:
        """Waits until it listens, for the first time or after a start again."""
        await self.service.says("lars-dns answers on", times, deadline)

    def page(self, path: str) -> tuple[int, str]:
        """The status and text of /metrics, /healthz or /readyz; waits for it."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def number(self, name: str, **labels: str) -> float:
        """One sample of /metrics."""
        families = list(text_string_to_metric_families(self.page("/metrics")[1]))
        samples = [s for family in families for s in family.samples if s.name == name and s.labels == labels]
        assert len(samples) == 1, f"{name} {labels}: {len(samples)} samples"
        return float(samples[0].value)

    @property
    def failures(self) -> int:
        """How many queries have failed so far."""
        name = "lars_dns_database_failures_total"
        return int(self.number(name, query="look") + self.number(name, query="check"))

    def said(self, logger: str) -> list[str]:
        """What one logger and level said, such as "lars.db.faults#warn", without the times."""
        return re.findall(rf"^\S+ \[{re.escape(logger)}\] (.*)$", self.service.log(), re.M)

    @property
    def faults(self) -> list[str]:
        """What it said of a database that fails."""
        return self.said("lars.db.faults#warn")

    @property
    def recoveries(self) -> int:
        """How often it said that the database answers again."""
        return self.service.log().count("the database answers again")

    def close(self) -> None:
        for port in self._ports:
            port.close()


class Routes:
    """The routes of one database, edited as `lars route` does."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._store = RouteStore(database)

    async def put(self, routes: Mapping[ModuleId, Iterable[HostAddress]]) -> int:
        """Makes these the modules' hosts, in one edit; the version that stands then."""
        edits = [RouteEdit(module, frozenset(hosts), replace=True) for module, hosts in routes.items()]
        return (await self._store.edit("test", 1, edits)).version

    async def run(self, sql: str, *parameters: object) -> None:
        """One statement in a transaction of its own, as the C++ tools do."""
        await self.database.write("a legacy statement", lambda txn: txn.execute(sql, parameters))


def host(number: int) -> HostAddress:
    """One of many hosts."""
    return HostAddress(0x0A000000 + number, 80)
