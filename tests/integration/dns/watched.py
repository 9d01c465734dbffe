"""A watcher on a real database that a test polls by hand, and the statements that legacy tools edit with."""

from collections.abc import Iterable, Sequence
from typing import Any

from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.routes import RouteStore
from lars.dns.packed_route import unpack
from lars.dns.settings import DnsSettings
from lars.dns.table import RouteTable
from lars.dns.watcher import RouteWatcher
from lars.route import HostAddress, ModuleId

M, N = ModuleId(1, 1), ModuleId(1, 2)
A, B = HostAddress(0x0A000001, 80), HostAddress(0x0A000002, 80)
NOW = 1_795_000_000
NEVER = 1e6


class Watched:
    """A watcher that the test polls by hand, and what it published."""

    def __init__(self, database: Database, reactor: Any, **settings: float) -> None:
        self.database = database
        self.table = RouteTable(fresh_ms=1000)
        self.published: list[ModuleId] = []
        chosen: dict[str, Any] = {"reload_interval": NEVER, **settings}
        self.watcher = RouteWatcher(database, self.table, DnsSettings(**chosen), reactor, self._publish)
        self.store = RouteStore(database)

    def _publish(self, changed: Iterable[tuple[ModuleId, bool]], _noticed: float) -> None:
        self.published += [module for module, _lost in changed]

    async def poll(self) -> list[ModuleId]:
        """One poll, and the check that it starts; the modules published by them."""
        self.published = []
        await self.watcher.poll()
        await self.watcher.checked()
        return self.published

    async def run(self, *statements: tuple[str, Sequence[object]]) -> None:
        """Each statement in a transaction of its own, as the C++ tools do."""
        for sql, parameters in statements:
            await self.database.write("a legacy statement", Transaction.execute, sql, parameters)

    def hosts(self, module: ModuleId = M) -> list[HostAddress]:
        return [host.address for host in unpack(self.table.routes.get(module, b"")).hosts]


def add(host: HostAddress, module: ModuleId = M) -> tuple[str, Sequence[object]]:
    return "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (?, ?, ?, ?)", (*module, *host)


def version(number: int) -> tuple[str, Sequence[object]]:
    return "UPDATE RouteVersion SET version = ? WHERE id = 1", (number,)


def change(number: int, module: ModuleId = M) -> tuple[str, Sequence[object]]:
    return "INSERT INTO RouteChange (modid, cmdid, version) VALUES (?, ?, ?)", (*module, number)
