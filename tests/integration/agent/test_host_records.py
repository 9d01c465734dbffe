"""What an operator sets for hosts and modules, from the database to the calls of a business process."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lars.client import LarsClient
from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.routes import RouteEdit, RouteStore
from lars.host_record import Drain, HostChange
from lars.module_settings import Settings
from lars.route import HostAddress, ModuleId, parse_host
from tests.integration.fleet import Fleet, StartService
from tests.integration.waiting import until

M = ModuleId(1, 1)
A, B = parse_host("127.0.0.1:9001"), parse_host("127.0.0.1:9002")
END = 2_000_000_000


class Steered:
    """A fleet with two hosts, and what is set for them."""

    def __init__(self, reactor: Any, fleet: Fleet, database: Database) -> None:
        self.fleet = fleet
        self.store = RouteStore(database)
        self.database = database
        self._reactor = reactor
        self._cached = LarsClient(f"127.0.0.1:{fleet.agent_port}", timeout=1.0, cache_ttl=0.1, state_dir="")
        self.clients = {"asking": fleet.client, "caching": self._cached}

    async def change(self, change: HostChange | None = None, settings: Settings | None = None) -> None:
        """Changes the record of A, and the module's settings."""
        changes = {} if change is None else {A: change}
        new = None if settings is None else lambda _now: settings
        await self.store.edit("test", 1, [RouteEdit(M, frozenset([A, B]), change=changes, settings=new)])

    def share(self, client: LarsClient) -> float:
        """The share of 60 successful calls that A gets."""
        calls: Counter[HostAddress] = Counter()
        for _ in range(60):
            host = client.get_host(*M)
            client.report(host, 0)
            calls[host.address] += 1
        return calls[A] / 60

    async def gives(self, low: float, high: float) -> None:
        """Waits until A gets a share between these, of a client that asks for each call and of one that caches."""
        for name, client in self.clients.items():
            shares: list[float] = []
            fits = partial(self._fits, client, low, high, shares)
            await until(self._reactor, fits, partial("{0}: {1} to {2}; it was {3}".format, name, low, high, shares))

    def _fits(self, client: LarsClient, low: float, high: float, shares: list[float]) -> bool:
        shares.append(self.share(client))
        return low <= shares[-1] <= high

    def close(self) -> None:
        self._cached.close()
        self.fleet.close()


@pytest.fixture
def steered(
    reactor: Any,
    start_service: StartService,
    sqlite_url: str,
    tmp_path: Path,
    open_database: Callable[[str], Database],
) -> Iterator[Steered]:
    fleet = Fleet(reactor, start_service, sqlite_url, tmp_path)
    steered = Steered(reactor, fleet, open_database(sqlite_url))
    yield steered
    steered.close()


async def test_weight_and_drain_decide_on_the_share_of_calls_also_after_a_restart_without_dns(
    reactor: Any, steered: Steered, tmp_path: Path
) -> None:
    fleet = steered.fleet
    await fleet.up()
    await steered.change(HostChange(weight=300))
    await fleet.serves(str(A), str(B))
    await steered.gives(0.65, 0.85)
    await steered.change(HostChange(drain=Drain(END, "kernel update")))
    await steered.gives(0, 0)
    saved = tmp_path / "state" / "routes.2.json"
    await until(reactor, lambda: saved.exists() and b'"drained"' in saved.read_bytes(), "the drain to be saved")
    await fleet.dns.stopped()
    await fleet.agent.stopped()
    fleet.agent.start()
    await fleet.agent.says("lars-agent answers on", 2)
    await steered.gives(0, 0)
    fleet.dns.start()
    await fleet.dns.says("answers on", 2)
    await steered.store.end_drains("lars-web", END)
    await steered.gives(0.65, 0.85)


async def test_settings_of_a_module_apply_at_once_and_one_that_is_not_known_is_said_once(
    reactor: Any, steered: Steered
) -> None:
    fleet = steered.fleet
    await fleet.up()
    await steered.change(settings={"policy": "classic"})
    await fleet.serves(str(A), str(B))

    def policy() -> str:
        return str(fleet.commands.json("explain", "1", "1")[0]["policy"])

    await until(reactor, lambda: policy() == "classic", "classic")
    sql = "UPDATE ModuleSettings SET settings = ?"
    text = '{"policy":"round_robin","tea_break":true}'
    await steered.database.write("a setting of a later version", Transaction.execute, sql, (text,))
    await steered.change(HostChange(zone="eu-1"))
    await until(reactor, lambda: policy() == "round_robin", "round_robin")
    await steered.change(HostChange(zone="eu-2"))
    await steered.change(settings={})
    await until(reactor, lambda: policy() == "adaptive", "adaptive")
    assert fleet.agent.log().count("'tea_break' is not a setting of a module") == 1
