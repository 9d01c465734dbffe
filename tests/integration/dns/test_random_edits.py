"""Random edits, ours and legacy tools' in any order of statements: every agent ends with what the table says."""

import random
import sys
from collections.abc import Sequence
from typing import Any

from twisted.internet.task import deferLater

from lars.db.engine import DatabaseAway
from lars.route import HostAddress, ModuleId
from tests.integration.dns.agents import Agents, Hosts
from tests.integration.dns.conftest import StartDns
from tests.integration.dns.running import Routes, host
from tests.integration.mariadb import MariaDb

MODULES = [ModuleId(1 + number % 3, number) for number in range(12)]
SECONDS = 1.5


class Editor:
    """Edits at random, and remembers what each module's route is and ever was."""

    def __init__(self, routes: Routes, seed: int) -> None:
        self.random = random.Random(seed)
        self.now: dict[ModuleId, frozenset[HostAddress]] = dict.fromkeys(MODULES, frozenset())
        self.ever: dict[ModuleId, set[Hosts]] = {module: {()} for module in MODULES}
        self._routes = routes

    def _set(self, module: ModuleId, hosts: frozenset[HostAddress]) -> None:
        self.now[module] = hosts
        self.ever[module].add(tuple(sorted(hosts)))

    def _hosts(self) -> frozenset[HostAddress]:
        return frozenset(host(self.random.randint(1, 5)) for _ in range(self.random.randint(0, 4)))

    async def edit(self) -> None:
        """One edit of a few modules, as `lars route` does it."""
        edits = {module: self._hosts() for module in self.random.sample(MODULES, self.random.randint(1, 4))}
        for module, hosts in edits.items():
            self._set(module, hosts)
        await self._routes.put(edits)

    async def edit_as_legacy(self, reactor: Any) -> None:
        """One host comes or goes, with or without a version and a RouteChange row, each by itself and in any order."""
        module, changed = self.random.choice(MODULES), host(self.random.randint(1, 5))
        steps: list[tuple[str, Sequence[object]]] = []
        if self.random.random() < 0.8:
            steps.append(("UPDATE RouteVersion SET version = ? WHERE id = 1", [self.random.randint(1, 30)]))
        if self.random.random() < 0.6:
            steps.append(("INSERT INTO RouteChange (modid, cmdid, version) VALUES (?, ?, 5)", module))
        if self.random.random() < 0.1:
            steps.append(("DELETE FROM RouteChange", ()))
        at = self.random.randint(0, len(steps))
        for sql, parameters in steps[:at]:
            await self._step(reactor, sql, parameters)
        if changed in self.now[module]:
            sql = "DELETE FROM RouteData WHERE modid = ? AND cmdid = ? AND serverip = ? AND serverport = ?"
        else:
            sql = "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (?, ?, ?, ?)"
        self._set(module, self.now[module] ^ {changed})
        await self._step(reactor, sql, (*module, *changed))
        for sql, parameters in steps[at:]:
            await self._step(reactor, sql, parameters)

    async def _step(self, reactor: Any, sql: str, parameters: Sequence[object]) -> None:
        await deferLater(reactor, self.random.choice((0, 0, 0.02, 0.06)))
        for _attempt in range(3):  # the pool has two connections, which may both have been cut while they were idle
            try:
                await self._routes.run(sql, *parameters)
                return
            except DatabaseAway:
                continue
        raise AssertionError(f"{sql} cannot be done")


async def edited_at_random(
    reactor: Any, start_dns: StartDns, url: str, routes: Routes, agents: Agents, server: MariaDb | None
) -> None:
    seed = random.randrange(2**32)
    sys.stdout.write(f"seed {seed}\n")  # pytest shows it if the test has failed
    editor = Editor(routes, seed)
    await editor.edit()
    instances = [start_dns(url, "--protect-ratio=1", name=name) for name in ("lars-dns", "second")]
    told = []
    for dns in instances:
        await dns.up()
        told.append(await agents.connect(dns.port))
        await told[-1].answered(*MODULES)
    end = reactor.seconds() + SECONDS
    while reactor.seconds() < end:
        if server is not None and editor.random.random() < 0.05:
            server.kill_connections()
        if editor.random.random() < 0.5:
            await editor.edit()
        else:
            await editor.edit_as_legacy(reactor)
    for agent in told:
        for module in MODULES:
            await agent.knows(module, editor.now[module])
        assert {route.module for route in agent.received if route.hosts not in editor.ever[route.module]} == set()


async def test_agents_end_with_what_the_table_says_and_were_told_nothing_it_never_said(
    reactor: Any, start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes, agents: Agents
) -> None:
    await edited_at_random(reactor, start_dns, sqlite_url, sqlite_routes, agents, None)


async def test_and_so_they_do_while_the_server_cuts_connections(
    reactor: Any,
    start_dns: StartDns,
    shaky_mariadb: MariaDb,
    shaky_url: str,
    shaky_routes: Routes,
    agents: Agents,
) -> None:
    await edited_at_random(reactor, start_dns, shaky_url, shaky_routes, agents, shaky_mariadb)
