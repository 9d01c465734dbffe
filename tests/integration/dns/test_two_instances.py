"""Two lars-dns on one database serve a hundred agents; either may die, and no agent misses a change."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest_twisted
from twisted.internet.defer import gatherResults, maybeDeferred
from twisted.internet.task import LoopingCall

from lars.agent.links.dns_link import DnsLink
from lars.agent.settings import Server
from lars.db.database import Database
from lars.db.schema import init_txn
from lars.route import HostAddress, ModuleId, Steering
from tests.integration.dns.conftest import StartDns
from tests.integration.dns.running import Routes, RunningDns, host
from tests.integration.waiting import until

MODULES = [ModuleId(1, number) for number in range(1, 4)]
AGENTS = 100


class LinkedAgent:
    """One agent's link to whichever lars-dns it reaches, and the routes that it knows."""

    def __init__(self, reactor: Any, first: RunningDns, second: RunningDns) -> None:
        self.routes: dict[ModuleId, tuple[HostAddress, ...]] = {}
        servers = (Server("127.0.0.1", first.port), Server("127.0.0.1", second.port))
        self.link = DnsLink(reactor, servers, self._take_route, lambda: MODULES)

    def _take_route(
        self, module: ModuleId, hosts: list[HostAddress], fresh_ms: int, steering: Steering, version: int
    ) -> None:
        self.routes[module] = tuple(hosts)


class LinkedAgents:
    """A hundred agents: half list the first lars-dns first, half the second."""

    def __init__(self, reactor: Any, one: RunningDns, two: RunningDns) -> None:
        self.instances = one, two
        self._reactor = reactor
        self._all = [LinkedAgent(reactor, *((one, two) if n % 2 else (two, one))) for n in range(AGENTS)]
        self._asking = LoopingCall(self._ask_some)
        self._asking.clock = reactor

    def start(self) -> None:
        for agent in self._all:
            agent.link.service.startService()
        self._asking.start(0.05)

    def _ask_some(self) -> None:
        for agent in self._all:
            agent.link.ask_some()

    async def know(self, module: ModuleId, *hosts: HostAddress, deadline: float = 5.0) -> None:
        """Waits until just these hosts are the module's for every agent."""
        await until(
            self._reactor,
            lambda: all(agent.routes.get(module) == hosts for agent in self._all),
            lambda: f"all to know {module} as {hosts}: {Counter(agent.routes.get(module) for agent in self._all)}",
            deadline,
        )

    async def stop(self) -> None:
        if self._asking.running:
            self._asking.stop()
        await gatherResults([maybeDeferred(agent.link.service.stopService) for agent in self._all])


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def linked(reactor: Any, start_dns: StartDns, mariadb_url: str) -> AsyncIterator[LinkedAgents]:
    """A hundred agents on two lars-dns on one database."""
    linked = LinkedAgents(reactor, start_dns(mariadb_url), start_dns(mariadb_url, name="second"))
    yield linked
    await linked.stop()


async def test_every_change_reaches_every_agent_whichever_instance_lives(
    linked: LinkedAgents, mariadb_url: str, open_database: Callable[[str], Database]
) -> None:
    routes = Routes(open_database(mariadb_url))
    await routes.database.write("create the schema", init_txn)
    await routes.put({module: [host(1)] for module in MODULES})
    one, two = linked.instances
    for dns in linked.instances:
        await dns.up()
    linked.start()
    for module in MODULES:
        await linked.know(module, host(1))
    assert [dns.number("lars_dns_connections") for dns in linked.instances] == [AGENTS / 2, AGENTS / 2]
    await routes.put({MODULES[0]: [host(1), host(2)]})
    await linked.know(MODULES[0], host(1), host(2))
    for killed, other, missed in (one, two, MODULES[1]), (two, one, MODULES[2]):
        killed.service.kill()
        await routes.put({missed: [host(3)]})
        await linked.know(missed, host(3))
        assert other.number("lars_dns_connections") == AGENTS, "the agents of the one that died have moved"
        killed.service.start()
        await killed.up(times=2)
    for dns in linked.instances:
        dns.service.kill()
    await routes.put({MODULES[0]: [host(4)]})
    two.service.start()
    await linked.know(MODULES[0], host(4), deadline=10)


async def test_what_one_instance_has_read_of_route_change_is_still_there_for_the_other(
    reactor: Any, start_dns: StartDns, database_url: str, routes: Routes
) -> None:
    module = MODULES[0]
    await routes.put({module: [host(1)]})
    one = start_dns(database_url)
    await one.up()
    version = await routes.put({module: [host(2)]})
    await until(reactor, lambda: one.number("lars_dns_route_version") == version, "the first to have read it")
    rows = await routes.database.read("look", lambda txn: txn.all("SELECT id, modid, cmdid FROM RouteChange"))
    assert rows == [(1, *module), (2, *module)]
