"""SIGTERM ends lars-dns in order and within five seconds, whatever its agents and its database do."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone

from lars.route import ModuleId
from tests.integration.dns.agents import Agents, DeafAgent
from tests.integration.dns.conftest import StartDns
from tests.integration.dns.running import Routes, RunningDns, host
from tests.integration.mariadb import MariaDb
from tests.integration.waiting import until

M = ModuleId(1, 1)
A = host(1)
IN_TIME = 5.0


@pytest.fixture
def sockets() -> Iterator[ExitStack]:
    """Closes plain sockets after the test."""
    with ExitStack() as stack:
        yield stack


async def stopped_in_order(dns: RunningDns, reactor: Any) -> float:
    """Stops it; how long that took. It must be as at any other end: a line for the last thing, no fault, no bug."""
    began = reactor.seconds()
    await dns.service.stopped(IN_TIME)
    assert dns.service.bugs() == ""
    assert "trying again" not in dns.service.log()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", dns.port)) != 0
    return float(reactor.seconds() - began)


async def test_idle_dns_ends_at_once(reactor: Any, start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes) -> None:
    dns = start_dns(sqlite_url, fast=False)
    await dns.up()
    assert await stopped_in_order(dns, reactor) < 2


async def test_two_hundred_agents_are_told_all_they_are_owed_and_then_closed_in_order(
    reactor: Any, start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes, agents: Agents
) -> None:
    await sqlite_routes.put({M: [host(number) for number in range(1, 1001)]})
    dns = start_dns(sqlite_url)
    await dns.up()
    connected = [await agents.connect(dns.port) for _ in range(200)]
    for agent in connected:
        agent.ask(M)
    await until(reactor, lambda: dns.number("lars_dns_requests_total") == 200, "all to have asked")
    assert await stopped_in_order(dns, reactor) < 2
    await until(reactor, lambda: all(agent.lost for agent in connected), "all connections to be closed")
    assert {len(agent.hosts(M) or ()) for agent in connected} == {1000}
    assert all(agent.lost and agent.lost.check(ConnectionDone) for agent in connected)


async def test_agent_that_does_not_read_delays_the_end_by_a_second(
    reactor: Any, start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes, sockets: ExitStack
) -> None:
    await sqlite_routes.put({M: [host(number) for number in range(1, 4001)]})
    dns = start_dns(sqlite_url)
    await dns.up()
    for _ in range(3):
        deaf = DeafAgent(dns.port)
        sockets.enter_context(deaf.socket)
        deaf.ask(M, times=5)
    await until(reactor, lambda: dns.number("lars_dns_requests_total") == 15, "all questions to have arrived")
    assert 1 <= await stopped_in_order(dns, reactor) < 3


async def test_dns_whose_database_hangs_ends_in_time_and_tells_of_no_fault(
    reactor: Any, start_dns: StartDns, shaky_mariadb: MariaDb, shaky_url: str, shaky_routes: Routes, tmp_path: Path
) -> None:
    await shaky_routes.put({M: [A]})
    dns = start_dns(shaky_url, f"--save={tmp_path / 'saved'}")
    await dns.up()
    shaky_mariadb.pause()
    asked = dns.number("lars_dns_table_age_seconds")
    await until(reactor, lambda: dns.number("lars_dns_table_age_seconds") > asked + 0.5, "a query to hang")
    await stopped_in_order(dns, reactor)
    assert dns.faults == []


async def test_dns_whose_first_load_hangs_ends_in_time(
    reactor: Any, start_dns: StartDns, shaky_mariadb: MariaDb, shaky_url: str, shaky_routes: Routes
) -> None:
    shaky_mariadb.pause()
    dns = start_dns(shaky_url)
    await dns.service.says("metrics and health are served on")
    assert dns.page("/readyz") == (503, "no routes are loaded yet: the database is being read\n")
    await stopped_in_order(dns, reactor)


async def test_dns_whose_database_is_away_ends_in_time(
    start_dns: StartDns, shaky_mariadb: MariaDb, shaky_url: str, shaky_routes: Routes
) -> None:
    await shaky_routes.put({M: [A]})
    dns = start_dns(shaky_url)
    await dns.up()
    shaky_mariadb.kill()
    await dns.service.says("Connection refused")
    starting = start_dns(shaky_url, name="starting")
    await starting.service.says("not serving yet")
    for ending in (dns, starting):
        await ending.service.stopped(IN_TIME)
        assert ending.service.bugs() == ""
