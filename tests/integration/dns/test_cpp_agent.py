"""A C++ agent on a real socket is never given what it dies of: a frame split across reads, a removal in one step."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from lars.dns.protocol import LEGACY_WRITE
from lars.route import HostAddress, ModuleId
from tests.integration.dns.agents import request
from tests.integration.dns.conftest import StartDns
from tests.integration.dns.cpp_agent import REQUESTS, CppAgent
from tests.integration.dns.running import Routes, RunningDns, host
from tests.integration.waiting import until

M, N = ModuleId(1, 1), ModuleId(2, 2)
A, B, C = host(2**31 + 1), host(2**31 + 2), host(2**31 + 3)  # negative numbers, for the original

Connect = Callable[[RunningDns], CppAgent]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connects C++ agents."""
    with ExitStack() as stack:

        def connect_one(dns: RunningDns) -> CppAgent:
            agent = CppAgent(dns.port)
            stack.callback(agent.close)
            return agent

        yield connect_one


async def told(reactor: Any, agent: CppAgent, *routes: tuple[ModuleId, list[Any]]) -> None:
    """Waits until the agent was told just these routes, in this order."""
    await until(reactor, lambda: agent.routes() == list(routes), lambda: f"{routes}; told {agent.routes()}", 5)


async def test_removal_comes_as_an_empty_route_and_the_rest_when_it_asks_again(
    reactor: Any, start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes, connect: Connect
) -> None:
    await sqlite_routes.put({M: [A, B], N: [A]})
    dns = start_dns(sqlite_url)
    await dns.up()
    agent = connect(dns)
    agent.send(REQUESTS[M])
    expected: list[tuple[ModuleId, list[Any]]] = [(M, [])]
    await told(reactor, agent, *expected)
    agent.send(REQUESTS[M])
    expected.append((M, [A, B]))
    await told(reactor, agent, *expected)
    for hosts in ([A], [B, C], []):  # one is removed; one is replaced; the last goes
        await sqlite_routes.put({M: hosts})
        expected.append((M, []))
        await told(reactor, agent, *expected)
        agent.send(REQUESTS[M])
        expected.append((M, hosts))
        await told(reactor, agent, *expected)
    await sqlite_routes.put({N: [A, B]})  # which it never asked for
    for hosts in ([C], [B, C]):
        await sqlite_routes.put({M: hosts})
        expected.append((M, hosts))
        await told(reactor, agent, *expected)
    assert agent.split_frames() == []


async def test_agent_whose_link_was_reset_drops_what_it_held_before_it_takes_a_route_without_a_host(
    reactor: Any, start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes, connect: Connect
) -> None:
    await sqlite_routes.put({M: [A, B]})
    dns = start_dns(sqlite_url)
    await dns.up()
    agent = connect(dns)
    agent.send(REQUESTS[M])
    await told(reactor, agent, (M, []))
    agent.send(REQUESTS[M])
    await told(reactor, agent, (M, []), (M, [A, B]))
    await sqlite_routes.put({M: [B]})
    await told(reactor, agent, (M, []), (M, [A, B]), (M, []))
    again = connect(dns)  # an agent that has not received the last of these, for its link was reset
    again.send(REQUESTS[M])
    await told(reactor, again, (M, []))
    again.send(REQUESTS[M])
    await told(reactor, again, (M, []), (M, [B]))


async def test_every_read_is_whole_frames_however_much_changes_at_once(
    reactor: Any, start_dns: StartDns, sqlite_url: str, sqlite_routes: Routes, connect: Connect
) -> None:
    modules = [ModuleId(3, number) for number in range(30)]
    await sqlite_routes.put({module: [A] for module in modules})
    dns = start_dns(sqlite_url)
    await dns.up()
    agents = [connect(dns) for _ in range(5)]
    for _ in range(2):  # the first answer is empty
        for agent in agents:
            agent.send(b"".join(request(module, peer=0) for module in modules))
        await until(reactor, lambda: all(set(dict(agent.routes())) == set(modules) for agent in agents), "answers", 5)
    for size in (200, 300, 400):
        hosts = [host(2**31 + number) for number in range(1, size + 1)]
        await sqlite_routes.put(dict.fromkeys(modules, hosts))
        await until(reactor, partial(know, agents, modules, hosts), f"all modules to have {size} hosts", 5)
    for agent in agents:
        assert agent.split_frames() == []
        told = sum(len(read.data) for read in agent.reads)
        assert told > 4 * LEGACY_WRITE * 3, "so much that each change took several writes"


def know(agents: Iterable[CppAgent], modules: list[ModuleId], hosts: list[HostAddress]) -> bool:
    """Whether all agents were told last that all modules have these hosts."""
    return all(dict(agent.routes()) == dict.fromkeys(modules, hosts) for agent in agents)
