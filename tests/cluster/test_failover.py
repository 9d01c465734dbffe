"""A whole Lars on three nodes, each service twice, while a node is killed, stopped, cut off, restarted or far behind.

Checked each time: each edit that was confirmed is there once and has reached the agent, history sums to what agents
counted, no route was empty, and no caller had an error.
"""

import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pymysql
import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, deferLater
from twisted.internet.threads import deferToThread

from lars.client import LarsClient
from lars.db.accounts import AccountStore, NewToken
from lars.db.database import Database
from lars.db.engine import DatabaseAway
from lars.db.routes import RouteEdit, RouteStore
from lars.errors import LarsError
from lars.route import HostAddress, ModuleId
from lars.web.auth.secrets import TOKEN_PREFIX, digest_of, new_secret
from tests.cluster.galera import Cluster
from tests.integration.conftest import StartService
from tests.integration.dns.agents import Agent as RouteAgent
from tests.integration.dns.agents import Agents as RouteAgents
from tests.integration.processes import ReservedPort, TwistdService, free_udp_base
from tests.integration.reporter.agents import Agents as ReportAgents
from tests.integration.reporter.sums import sums
from tests.integration.waiting import until

FAILOVER = 5.0
"""Seconds within which edits go on after any failure of a node."""

MODULE = ModuleId(7, 7)
MAX_EDITS = 900
"""Of an editor; a module has at most 4,000 hosts."""


def host(number: int) -> HostAddress:
    return HostAddress(0x0A000000 + number, 80)


class Unconfirmed(Exception):
    """An edit was refused, or its outcome is unknown."""

    def __init__(self, is_unknown: bool) -> None:
        super().__init__()
        self.is_unknown = is_unknown


Edit = Callable[[HostAddress], Awaitable[None]]
"""Adds a host; raises Unconfirmed unless that is confirmed."""


def by_database(database: Database) -> Edit:
    """Edits as `lars route` does."""
    store = RouteStore(database)

    async def add(added: HostAddress) -> None:
        try:
            await store.edit("editor", time.time(), [RouteEdit(MODULE, frozenset({added}))])
        except DatabaseAway as error:
            raise Unconfirmed("may be done" in str(error)) from error

    return add


def by_web(port: int, token: str) -> Edit:
    """Registers hosts by the API of a lars-web."""

    def put(added: HostAddress) -> None:
        url = f"http://127.0.0.1:{port}/api/v1/modules/{MODULE.modid}/{MODULE.cmdid}/hosts/{added}"
        headers = {"Authorization": f"Bearer {token}"}
        try:
            with urlopen(Request(url, headers=headers, method="PUT"), timeout=20) as answer:
                assert answer.status == 201, f"{added} was added already"
        except HTTPError as error:
            raise Unconfirmed(is_unknown=True) from error

    async def add(added: HostAddress) -> None:
        await deferToThread(put, added)

    return add


class Editor:
    """Adds one host after another as long as it is not stopped."""

    def __init__(self, reactor: Any, add: Edit, first: int) -> None:
        self._reactor = reactor
        self._add = add
        self._numbers = iter(range(first, first + MAX_EDITS))
        self._stopped = False
        self.confirmed: list[HostAddress] = []
        self.unknown: set[HostAddress] = set()
        self.longest = 0.0
        """Seconds between two confirmations at most."""
        self.ended = Deferred.fromCoroutine(self._edit())

    async def _edit(self) -> None:
        before = time.monotonic()
        for number in self._numbers:
            if self._stopped:
                break
            added = host(number)
            try:
                await self._add(added)
            except Unconfirmed as error:
                if error.is_unknown:
                    self.unknown.add(added)
            else:
                self.confirmed.append(added)
                now = time.monotonic()
                self.longest = max(self.longest, now - before)
                before = now
            await deferLater(self._reactor, 0.1)

    async def stop(self) -> None:
        self._stopped = True
        await self.ended


class Lars:
    """Two of each service on different nodes, an agent, its callers, and agents that count what they report."""

    def __init__(self, reactor: Any, cluster: Cluster, name: str, start: StartService, folder: Path) -> None:
        self._reactor = reactor
        self._ports = [ReservedPort() for _ in range(6)]
        numbers = [port.number for port in self._ports]
        self.dns, self.reporters, self.webs = numbers[:2], numbers[2:4], numbers[4:]
        self.services: list[TwistdService] = []
        for plugin, ports, options in (
            ("lars-dns", self._ports[:2], ["--poll-interval=0.1", "--reload-interval=1"]),
            ("lars-reporter", self._ports[2:4], ["--flush-interval=0.1"]),
            ("lars-web", self._ports[4:], []),
        ):
            for number, port in enumerate(ports):
                own = [f"--db={cluster.url(name, number)}", f"--listen={port.endpoint}", *options]
                self.services.append(start(plugin, *own, name=f"{plugin}-{number + 1}"))
        agent_port = free_udp_base(3)
        self.agent = start(
            "lars-agent",
            f"--listen=127.0.0.1:{agent_port}",
            *(f"--dns={','.join(f'127.0.0.1:{port}' for port in self.dns)}",),
            *(f"--reporter={','.join(f'127.0.0.1:{port}' for port in self.reporters)}",),
            f"--state-dir={folder / 'state'}",
        )
        self.token = ""
        self.client = LarsClient(f"127.0.0.1:{agent_port}", timeout=2.0, cache=False, state_dir="")
        self.errors: list[str] = []
        self.calls = 0
        self._calling = LoopingCall(self._call)
        self.watchers = RouteAgents(reactor)
        self.watching: list[RouteAgent] = []
        self.counting = ReportAgents(reactor)

    async def up(self) -> None:
        for service in self.services:
            await service.says("answers on", deadline=30)
        await self.agent.says("linked to lars-dns", deadline=30)
        for port in self.dns:
            self.watching.append(await self.watchers.connect(port))
            await self.watching[-1].answered(MODULE, deadline=10)
        await until(self._reactor, self._has_route, "the agent to have the route", 20)
        self._calling.start(0.05)
        for agent in self.counting.start(*self.reporters, count=3):
            agent.keep_reporting()
        for agent in self.counting.start(*reversed(self.reporters), count=3):
            agent.keep_reporting()

    def _has_route(self) -> bool:
        try:
            return bool(self.client.get_route(*MODULE))
        except LarsError:
            return False

    async def _call(self) -> None:
        self.calls += 1
        try:
            await deferToThread(self.client.get_host, *MODULE)
        except LarsError as error:
            self.errors.append(str(error))

    async def rest(self) -> None:
        """Ends the calls, and waits until all that was counted is acknowledged."""
        if self._calling.running:
            self._calling.stop()
        for agent in self.counting.all:
            await agent.is_acknowledged(60)

    async def agents_know(self, hosts: set[HostAddress]) -> None:
        """Waits until the agent and both lars-dns have just these hosts."""

        def known() -> set[str]:
            return {str(each) for each in self.client.get_route(*MODULE)}

        wanted = {str(each) for each in hosts}
        await until(self._reactor, lambda: known() == wanted, lambda: f"{wanted ^ known()} to be settled", 20)
        for watcher in self.watching:
            await watcher.knows(MODULE, hosts, deadline=20)

    def changes_of_server(self) -> Counter[str]:
        """How often each service has logged that it uses another server."""
        return Counter({service.name: service.log().count("] the database is at") for service in self.services})

    async def close(self) -> None:
        if self._calling.running:
            self._calling.stop()
        self.watchers.drop_all()
        await self.counting.close()
        self.client.close()
        for port in self._ports:
            port.close()


async def kill(reactor: Any, cluster: Cluster) -> None:
    cluster.nodes[0].kill()
    await deferLater(reactor, 6)
    cluster.nodes[0].recover()
    await cluster.nodes[0].synced()


async def stop(reactor: Any, cluster: Cluster) -> None:
    cluster.nodes[0].pause()
    await deferLater(reactor, 8)
    cluster.nodes[0].resume()
    await deferLater(reactor, 1)
    await cluster.nodes[0].synced()


async def cut_off(reactor: Any, cluster: Cluster) -> None:
    minority = cluster.nodes[0]
    minority.isolate(True)
    await until(reactor, lambda: not minority.is_synced, "the minority to notice", 10)
    with pytest.raises(pymysql.err.OperationalError, match="WSREP has not yet prepared"):
        minority.query("CREATE DATABASE refused")
    await deferLater(reactor, 4)
    minority.isolate(False)
    await minority.synced()


async def restart_each(reactor: Any, cluster: Cluster) -> None:
    for node in cluster.nodes:
        node.terminate()
        await until(reactor, lambda node=node: node.status is not None, f"{node.name} to stop", 30)  # type: ignore[misc]
        node.start()
        await node.synced()


async def far_behind(reactor: Any, cluster: Cluster) -> None:
    """A node that applies nothing of what the others commit, as during a backup, and then has to catch up."""
    with cluster.nodes[0].behind():
        await deferLater(reactor, 6)
    await cluster.nodes[0].synced()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def lars(
    reactor: Any,
    cluster: Cluster,
    name: str,
    databases: list[Database],
    start_service: StartService,
    tmp_path: Path,
) -> AsyncIterator[Lars]:
    """All services on an empty history and one route, under load."""
    await RouteStore(databases[0]).edit("test", time.time(), [RouteEdit(MODULE, frozenset({host(1)}))])
    lars = Lars(reactor, cluster, name, start_service, tmp_path)
    lars.token = TOKEN_PREFIX + new_secret()
    accounts = AccountStore(databases[0])
    await accounts.add("test", "program", "no hash", "editor", 0)
    await accounts.add_token("test", NewToken(digest_of(lars.token), "test", "program", "editor"), 0)
    try:
        await lars.up()
        yield lars
    finally:
        await lars.close()


@pytest.mark.parametrize("fault", [kill, stop, cut_off, restart_each, far_behind])
async def test_nothing_is_lost_doubled_or_refused(
    reactor: Any,
    cluster: Cluster,
    databases: list[Database],
    lars: Lars,
    fault: Callable[[Any, Cluster], Awaitable[None]],
) -> None:
    ways = [by_database(databases[0]), by_database(databases[1]), *(by_web(port, lars.token) for port in lars.webs)]
    editors = [Editor(reactor, add, MAX_EDITS * (way + 1)) for way, add in enumerate(ways)]
    await until(reactor, lambda: all(len(editor.confirmed) >= 5 for editor in editors), "edits", 20)
    await fault(reactor, cluster)
    for editor in editors:
        await editor.stop()
    await lars.rest()
    confirmed = {host(1), *(added for editor in editors for added in editor.confirmed)}
    unknown = {added for editor in editors for added in editor.unknown}
    rows = await databases[1].read("look", lambda txn: txn.all("SELECT serverip, serverport FROM RouteData"))
    there = [HostAddress(*row) for row in rows]
    assert len(set(there)) == len(there)
    assert confirmed <= set(there) <= confirmed | unknown
    audit = "SELECT hosts_after FROM RouteAudit WHERE what = 'hosts'"
    audited = await databases[1].read("look", lambda txn: txn.all(audit))
    assert Counter(line for (text,) in audited for line in text.splitlines()) == Counter(map(str, there))
    await lars.agents_know(set(there))
    assert all(() not in watcher.all_hosts(MODULE) for watcher in lars.watching)
    assert await sums(databases[1]) == lars.counting.counted
    assert sum(succ for succ, _err in lars.counting.counted.values()) > 1000
    assert lars.errors == []
    assert lars.calls > 50
    longest = max(editor.longest for editor in editors)
    changes = dict(lars.changes_of_server())
    sys.stdout.write(f"\n{fault.__name__}: {len(confirmed)} edits, the longest pause {longest:.2f} s; {changes}\n")
    assert longest < FAILOVER
    if fault is not restart_each:  # in which each node fails
        assert max(changes.values()) == 1, "said once"
