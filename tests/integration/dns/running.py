"""A lars-dns process for a test, and its routes."""

from collections.abc import Callable, Iterable, Mapping

from lars.db.database import Database
from lars.db.routes import RouteEdit, RouteStore
from lars.route import HostAddress, ModuleId
from tests.integration.processes import TwistdService
from tests.integration.running_service import RunningService

FAST = ("--poll-interval=0.05", "--reload-interval=0.3")
"""Looks twenty times a second, so that tests need not wait."""


class RunningDns(RunningService):
    """One lars-dns on ports of its own, the same after each start."""

    def __init__(
        self,
        start_service: Callable[..., TwistdService],
        database_url: str,
        *options: str,
        name: str = "lars-dns",
        fast: bool = True,
    ) -> None:
        super().__init__(start_service, "lars-dns", database_url, *(FAST if fast else ()), *options, name=name)

    @property
    def failures(self) -> int:
        """How many queries have failed so far."""
        name = "lars_dns_database_failures_total"
        return int(self.number(name, query="look") + self.number(name, query="check"))


class Routes:
    """The routes of one database, edited as `lars route` does."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._store = RouteStore(database)

    async def put(self, routes: Mapping[ModuleId, Iterable[HostAddress]]) -> int:
        """Makes these the modules' hosts, in one edit; the version after it."""
        edits = [RouteEdit(module, frozenset(hosts), replace=True) for module, hosts in routes.items()]
        return (await self._store.edit("test", 1, edits)).version

    async def run(self, sql: str, *parameters: object) -> None:
        """One statement in a transaction of its own, as the C++ tools do."""
        await self.database.write("a legacy statement", lambda txn: txn.execute(sql, parameters))


def host(number: int) -> HostAddress:
    """One of many hosts."""
    return HostAddress(0x0A000000 + number, 80)
