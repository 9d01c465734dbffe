"""Agents that do not read, connections that never ask, and more connections than allowed."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from lars.route import ModuleId
from tests.integration.dns.agents import Agents, DeafAgent, request
from tests.integration.dns.conftest import StartDns
from tests.integration.dns.running import Routes, RunningDns, host
from tests.integration.waiting import until

M, N = ModuleId(1, 1), ModuleId(1, 2)
MANY = [host(number) for number in range(1, 4001)]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Closes plain sockets after the test."""
    with ExitStack() as stack:
        yield stack


def dropped(dns: RunningDns, reason: str) -> float:
    return dns.number("lars_dns_dropped_connections_total", reason=reason)


async def test_agent_that_does_not_read_is_dropped_after_the_stall_timeout_and_counted(
    reactor: Any, start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes, agents: Agents, stack: ExitStack
) -> None:
    await sqlite_routes.put({M: MANY, N: [host(1)]})
    dns = start_dns(sqlite_url, "--stall-timeout=1")
    await dns.up()
    agent = await agents.connect(dns.port)
    asking = agents.keep_asking(agent, N)
    deaf = DeafAgent(dns.port)
    stack.enter_context(deaf.socket)
    deaf.ask(M, times=5)
    await until(reactor, lambda: dropped(dns, "stalled") == 1, "the deaf agent to be dropped")
    await asking.was_answered()
    assert dns.number("lars_dns_connections") == 1
    assert dns.number("lars_dns_subscriptions") == 1
    assert dns.service.log().count("dropped: it does not read") == 1


async def test_agent_that_reads_again_in_time_gets_only_the_newest_route(
    reactor: Any, start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes, agents: Agents, stack: ExitStack
) -> None:
    await sqlite_routes.put({M: MANY})
    dns = start_dns(sqlite_url, "--stall-timeout=60")
    await dns.up()
    deaf = DeafAgent(dns.port)
    stack.enter_context(deaf.socket)
    deaf.ask(M, times=1000)
    await until(reactor, lambda: dns.number("lars_dns_requests_total") == 1000, "all questions to have arrived")
    agent = await agents.connect(dns.port)
    await agent.answered(M)
    for number in range(1, 11):
        await sqlite_routes.put({M: [host(number)]})
        await agent.knows(M, [host(number)])
    await until(reactor, lambda: deaf.read()[-1:] == [(host(10),)], "the newest route")
    assert set(deaf.routes[:-1]) == {tuple(MANY)}, "nothing in between was kept for it"
    assert len(deaf.routes) < 10, "nor what it asked for again and again"
    assert dropped(dns, "stalled") == 0


async def test_connections_that_never_ask_are_dropped_after_the_idle_timeout_and_counted(
    reactor: Any, start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes, agents: Agents, stack: ExitStack
) -> None:
    await sqlite_routes.put({M: [host(1)]})
    dns = start_dns(sqlite_url, "--idle-timeout=1")
    await dns.up()
    agent = await agents.connect(dns.port)
    await agent.answered(M)
    for first_bytes in (b"", request(N)[:-1]):
        silent = stack.enter_context(socket.create_connection(("127.0.0.1", dns.port)))
        silent.sendall(first_bytes)
    await until(reactor, lambda: dropped(dns, "idle") == 2, "both to be dropped")
    assert dns.service.log().count("dropped: it has sent no request") == 1, "a repeated fault is one line"
    await sqlite_routes.put({M: [host(2)]})
    await agent.knows(M, [host(2)])


async def test_connection_over_the_limit_is_closed_and_counted_until_another_goes(
    reactor: Any, start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes, agents: Agents
) -> None:
    await sqlite_routes.put({M: [host(1)]})
    dns = start_dns(sqlite_url, "--max-connections=2")
    await dns.up()
    first, second, third = [await agents.connect(dns.port) for _ in range(3)]
    await until(reactor, lambda: third.lost, "the third to be closed")
    assert dropped(dns, "refused") == 1
    await first.answered(M)
    await second.answered(M)
    assert "127.0.0.1:" in dns.said("lars.wire.factory#warn")[0]
    assert "2 connections are open, the limit (raise max_connections to allow more)" in dns.service.log()
    first.stream.loseConnection()
    await until(reactor, lambda: dns.number("lars_dns_connections") == 1, "the first to be gone")
    await (await agents.connect(dns.port)).answered(M)


async def test_one_address_and_one_connection_take_so_much_and_the_rest_is_left_to_others(
    reactor: Any, start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes, agents: Agents
) -> None:
    await sqlite_routes.put({M: [host(1)]})
    dns = start_dns(sqlite_url, "--max-per-address=2", "--max-subscriptions=10")
    await dns.up()
    greedy, agent, third = [await agents.connect(dns.port) for _ in range(3)]
    await until(reactor, lambda: third.lost, "the third of one address to be closed")
    assert dropped(dns, "crowded") == 1
    await greedy.answered(*(ModuleId(7, number) for number in range(1, 500)), M, deadline=5.0)
    await agent.answered(M)
    assert dns.number("lars_dns_subscriptions") == 11
    assert dns.number("lars_dns_unsubscribed_requests_total") == 490
    assert dns.service.log().count("asks for more modules than it may subscribe to") == 1
    await sqlite_routes.put({M: [host(2)]})
    await agent.knows(M, [host(2)])
