"""The database is killed, hangs, is slow, or refuses writes: lars-dns serves on, says so once, and recovers."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest_twisted
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from lars.db.database import Database
from lars.db.mysql import MysqlEngine
from lars.db.url import MysqlUrl, parse_url
from lars.dns.pruning import OBSERVED, ChangePruner
from lars.dns.settings import DnsSettings
from lars.dns.table import RouteTable
from lars.dns.watcher import RouteWatcher
from lars.route import ModuleId
from tests.integration.dns.agents import Agents
from tests.integration.dns.conftest import StartDns
from tests.integration.dns.running import Routes, RunningDns, host
from tests.integration.dns.slow_proxy import SlowProxy
from tests.integration.mariadb import MariaDb
from tests.integration.waiting import until

M, N = ModuleId(1, 1), ModuleId(1, 2)
A, B, C = host(1), host(2), host(3)


async def test_killed_database_is_told_once_served_through_and_recovered_from(
    reactor: Any, start_dns: StartDns, shaky_mariadb: MariaDb, shaky_url: str, shaky_routes: Routes, agents: Agents
) -> None:
    await shaky_routes.put({M: [A], N: [C]})
    dns = start_dns(shaky_url)
    await dns.up()
    agent = await agents.connect(dns.port)
    await agent.answered(M)
    asking = agents.keep_asking(agent, N)
    shaky_mariadb.kill()
    await until(reactor, lambda: dns.failures >= 4, "the database to be asked four times")
    shaky_mariadb.start()
    await shaky_mariadb.answers()
    version = await shaky_routes.put({M: [A, B]})
    await agent.knows(M, [A, B])
    await asking.was_answered()
    assert agent.all_hosts(N) == {(C,)}
    assert [route.hosts for route in agent.received if route.module == M] == [(A,), (A, B)], "nothing else was pushed"
    assert dns.number("lars_dns_route_version") == version
    assert len(dns.faults) == len(set(dns.faults)) <= 2, "the lost connection, and the refused one"
    assert all("serving the last 2 modules, trying again" in line for line in dns.faults)
    assert dns.recoveries == 1


async def test_database_that_hangs_is_served_through_and_recovered_from(
    reactor: Any, start_dns: StartDns, shaky_mariadb: MariaDb, shaky_url: str, shaky_routes: Routes, agents: Agents
) -> None:
    await shaky_routes.put({M: [A], N: [C]})
    dns = start_dns(shaky_url)
    await dns.up()
    agent = await agents.connect(dns.port)
    await agent.answered(M)
    asking = agents.keep_asking(agent, N)
    shaky_mariadb.pause()
    asked = dns.number("lars_dns_requests_total")
    await until(reactor, lambda: dns.number("lars_dns_requests_total") > asked + 50, "fifty more questions")
    shaky_mariadb.resume()
    await shaky_routes.put({M: [B]})
    await agent.knows(M, [B])
    await asking.was_answered()
    assert agent.all_hosts(N) == {(C,)}
    assert dns.faults == [], "it was away for less than a timeout"


async def test_database_that_hangs_for_longer_than_a_timeout_is_told_once_and_recovered_from(
    reactor: Any, shaky_mariadb: MariaDb, shaky_url: str, shaky_routes: Routes
) -> None:
    await shaky_routes.put({M: [A], N: [C]})
    url = parse_url(shaky_url)
    assert isinstance(url, MysqlUrl)
    database = Database(MysqlEngine(url, read_timeout=0.2), reactor)
    table = RouteTable(fresh_ms=1000)
    published: list[ModuleId] = []
    watcher = RouteWatcher(
        database,
        table,
        DnsSettings(poll_interval=0.02, reload_interval=0.1),
        reactor,
        lambda changed, _noticed: published.extend(module for module, _lost in changed),
    )
    await watcher.start()
    published.clear()
    with capturedLogs() as events:
        shaky_mariadb.pause()
        await until(reactor, lambda: watcher.look_faults.count >= 3, "the database to be asked three times")
        shaky_mariadb.resume()
        await until(reactor, lambda: not watcher.fault, "the database to answer")
    told = [event["text"] for event in events if event["log_namespace"] == "lars.db.faults" and "text" in event]
    assert len(told) == len(set(told)) <= 4, "looks and checks, on old connections and on new ones"
    assert all("timed out" in text for text in told)
    assert (published, len(table)) == ([], 2)
    database.close()
    await watcher.stop()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def proxy(reactor: Any, shaky_mariadb: MariaDb) -> AsyncIterator[SlowProxy]:
    """A proxy before the server that the test may shake."""
    proxy = SlowProxy(reactor, shaky_mariadb.port)
    yield proxy
    await proxy.close()


async def test_slow_database_slows_no_answer_and_loses_no_change(
    start_dns: StartDns,
    shaky_mariadb: MariaDb,
    shaky_url: str,
    shaky_routes: Routes,
    proxy: SlowProxy,
    agents: Agents,
) -> None:
    await shaky_routes.put({M: [A], N: [C]})
    dns = start_dns(shaky_url.replace(f":{shaky_mariadb.port}/", f":{await proxy.listen()}/"))
    await dns.up()
    agent = await agents.connect(dns.port)
    await agent.answered(M)
    asking = agents.keep_asking(agent, N)
    proxy.delay = 0.05
    for hosts in ([A, B], [B], [B, C]):
        await shaky_routes.put({M: hosts})
        await agent.knows(M, hosts)
    await asking.was_answered()
    assert agent.all_hosts(N) == {(C,)}
    assert agent.all_hosts(M) == {(A,), (A, B), (B,), (B, C)}
    assert dns.faults == []


async def test_connections_cut_in_the_middle_of_an_answer_push_nothing_false(
    reactor: Any,
    start_dns: StartDns,
    shaky_mariadb: MariaDb,
    shaky_url: str,
    shaky_routes: Routes,
    proxy: SlowProxy,
    agents: Agents,
) -> None:
    modules = [ModuleId(2, number) for number in range(300)]
    await shaky_routes.put({module: [A, B] for module in modules})
    dns = start_dns(shaky_url.replace(f":{shaky_mariadb.port}/", f":{await proxy.listen()}/"), "--protect-ratio=1")
    await dns.up()
    agent = await agents.connect(dns.port)
    await agent.answered(*modules, deadline=3)
    shaky_mariadb.kill_connections()
    for cut_after in (60, 700, 2_000, 9_000):  # in the handshake, in the first queries, in the rows
        proxy.cut_after = cut_after
        known = dns.failures
        await shaky_routes.put({module: [A, B, host(cut_after)] for module in modules})
        await until(reactor, partial(failed_since, dns, known), f"a cut after {cut_after} bytes")
    proxy.cut_after = 2**60
    await shaky_routes.put({module: [C] for module in modules})
    for module in modules:
        await agent.knows(module, [C], deadline=15)
        assert all(len(hosts) == 3 or hosts in {(A, B), (C,)} for hosts in agent.all_hosts(module))


def failed_since(dns: RunningDns, known: int) -> bool:
    return dns.failures > known


async def test_what_is_no_database_at_its_address_is_told_once_and_as_such(reactor: Any, start_dns: StartDns) -> None:
    """Such as another service's port, or a half-started proxy: a greeting that ends too early."""
    greeter = Factory.forProtocol(Greeter)
    greeter.noisy = False
    listening = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(greeter)
    port = listening.getHost().port
    dns = start_dns(f"mysql://lars:secret@127.0.0.1:{port}/lars")
    await dns.service.says("not serving yet")
    await until(reactor, lambda: dns.failures >= 3, "three attempts")
    [fault] = dns.faults
    assert fault.startswith(f"mysql://lars@127.0.0.1:{port}/lars: check all routes: the server does not speak the ")
    await listening.stopListening()


class Greeter(Protocol):
    """Greets as a MySQL server does, but for the greeting's end."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"\x05\x00\x00\x00\x0a5.5\x00")


async def test_read_only_database_is_no_fault(
    start_dns: StartDns, shaky_mariadb: MariaDb, shaky_url: str, shaky_routes: Routes, agents: Agents
) -> None:
    await shaky_routes.put({M: [A]})
    url = as_plain_user(shaky_mariadb, shaky_url)
    shaky_mariadb.query("SET GLOBAL read_only = 1")
    dns = start_dns(url)
    await dns.up()
    agent = await agents.connect(dns.port)
    await agent.answered(M)
    await shaky_routes.put({M: [A, B]})  # as an administrator, as replication does
    await agent.knows(M, [A, B])
    assert dns.faults == []


async def test_pruning_on_a_read_only_database_is_one_line_and_does_no_harm(
    reactor: Any,
    shaky_mariadb: MariaDb,
    shaky_url: str,
    shaky_routes: Routes,
    open_database: Callable[[str], Database],
) -> None:
    await shaky_routes.put({M: [A]})
    database = open_database(as_plain_user(shaky_mariadb, shaky_url))
    shaky_mariadb.query("SET GLOBAL read_only = 1")
    clock = Clock()
    pruner = ChangePruner(database, 1.0, lambda: 1, clock, lambda: 1e9)
    await pruner.prune()
    clock.advance(OBSERVED)
    with capturedLogs() as events:
        await pruner.prune()
    [line] = [event["log_format"].format(**event) for event in events]
    assert line.startswith("RouteChange is not pruned now: ")
    assert "read-only" in line


def as_plain_user(server: MariaDb, url: str) -> str:
    """The URL with a user who has all rights in that database and none beyond: read_only binds them."""
    database = url.rpartition("/")[2]
    server.query("CREATE USER IF NOT EXISTS 'plain'@'%%' IDENTIFIED BY 'plain'")
    server.query(f"GRANT ALL ON {database}.* TO 'plain'@'%%'")
    return f"mysql://plain:plain@127.0.0.1:{server.port}/{database}"
