"""lars-agent under rubbish, from processes of its machine and from its own dns and reporter: it goes on answering."""

import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.threads import deferToThread

from bench.processes.agent_state import SHARDS
from lars.route import shard_of
from tests.integration.fleet import Commands, StartService
from tests.integration.processes import ReservedPort
from tests.integration.waiting import until
from tests.soak.bad_datagrams import BadDatagrams
from tests.soak.broken_peers import BrokenPeers
from tests.soak.fuzzed_agent import HOSTS, SPOILT, WATCHED, FuzzedAgent

DATAGRAMS = 1_000_000
AT_ONCE = 250
"""Datagrams to one shard before it is asked for a host, whose answer shows that they have been read."""

STREAMS = 1_000
GROWTH_MB = 24.0
"""How much memory each process may take more than before."""

StartAgent = Callable[..., FuzzedAgent]


@pytest.fixture
def start_agent(start_service: StartService, tmp_path: Path) -> Iterator[StartAgent]:
    """Starts the agent, which ends with the test."""
    started: list[FuzzedAgent] = []

    def start(*options: str) -> FuzzedAgent:
        started.append(FuzzedAgent(start_service, tmp_path, *options))
        return started[-1]

    yield start
    for agent in started:
        agent.close()


def _fire(agent: FuzzedAgent, datagrams: BadDatagrams, count: int) -> None:
    """Sends datagrams to each shard in turn; what is answered is never read."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for start in range(0, count, AT_ONCE):
            shard = start // AT_ONCE % SHARDS
            for _ in range(min(AT_ONCE, count - start)):
                sock.sendto(datagrams.next(), ("127.0.0.1", agent.port + shard))
            agent.check(module for module in WATCHED if shard_of(module, SHARDS) == shard)


async def test_a_million_bad_datagrams_are_each_counted_and_hinder_nobody(
    reactor: Any, start_agent: StartAgent
) -> None:
    agent = start_agent("--dns=127.0.0.1:1", "--reporter=127.0.0.1:1")
    await agent.up(reactor)
    agent.check()
    before, memory = await agent.numbers(), agent.memory_mb()
    asked = agent.asked
    datagrams = BadDatagrams(1, SPOILT, HOSTS[0])
    await deferToThread(_fire, agent, datagrams, DATAGRAMS)
    agent.check()
    after = await agent.numbers()
    rose = {name: after[name] - before.get(name, 0) for name in after}
    ends = [
        *(f"lars_agent_get_host_total|{answer}" for answer in ("succ", "overload", "noexist")),
        *("lars_agent_get_route_total", "lars_agent_reports_total", "lars_agent_datagrams_dropped_total|malformed"),
    ]
    assert sum(rose[name] for name in ends) == DATAGRAMS + agent.asked - asked, rose
    malformed = rose["lars_agent_datagrams_dropped_total|malformed"]
    assert datagrams.hopeless <= malformed < DATAGRAMS
    assert agent.service.log().count("\n") < 200, "rubbish does not flood the log"
    _require_little_growth(memory, agent.memory_mb())


def _require_little_growth(before: dict[int, float], after: dict[int, float]) -> None:
    assert after.keys() == before.keys(), "a process has ended"
    grown = {pid: round(after[pid] - before[pid], 1) for pid in before}
    assert max(grown.values()) < GROWTH_MB, f"memory has grown by {grown} MiB"


async def test_a_thousand_broken_streams_hinder_nobody_and_good_ones_are_taken_after_them(
    reactor: Any, start_agent: StartAgent, start_service: StartService, sqlite_url: str, tmp_path: Path
) -> None:
    """Three workers have six links, which are made anew so often in less than a minute."""
    with ReservedPort() as dns, ReservedPort() as reporter:
        peers = [BrokenPeers(reactor, port.number, seed) for seed, port in enumerate((dns, reporter))]
        agent = start_agent(f"--dns=127.0.0.1:{dns.number}", f"--reporter=127.0.0.1:{reporter.number}", "--workers=3")
        await agent.up(reactor)
        memory = agent.memory_mb()

        def streamed() -> bool:
            agent.check()
            for module in SPOILT:
                agent.client.get_route(*module)
            return all(peer.made >= STREAMS // 2 for peer in peers)

        await until(reactor, streamed, lambda: f"streams: {[peer.made for peer in peers]}", 180)
        _require_little_growth(memory, agent.memory_mb())
        for peer in peers:
            await peer.close()
        assert agent.service.log().count("\n") < 500, "broken streams do not flood the log"
        await _is_well(reactor, agent, start_service, sqlite_url, tmp_path, (dns.number, reporter.number))


async def _is_well(
    reactor: Any, agent: FuzzedAgent, start_service: StartService, url: str, folder: Path, ports: tuple[int, int]
) -> None:
    """After a kill it answers from its saved routes; then it takes a route from a real dns, and its reports arrive."""
    agent.service.kill()
    agent.service.start()
    await agent.up(reactor)
    agent.check()
    commands = Commands(url, f"127.0.0.1:{agent.port}", folder)
    commands.ok("db", "init")
    modid, cmdid = map(str, WATCHED[0])
    commands.ok("route", "add", modid, cmdid, "127.0.0.1:9001")
    for plugin, port in zip(("lars-dns", "lars-reporter"), ports, strict=True):
        start_service(plugin, "--db", url, f"--listen=tcp:{port}:interface=127.0.0.1")
    route = partial(agent.client.get_route, *WATCHED[0])
    await until(reactor, lambda: [str(host) for host in route()] == ["127.0.0.1:9001"], "the new route", 20)
    agent.client.report(agent.client.get_host(*WATCHED[0]))
    counted = partial(commands.json, "status", modid, cmdid)
    await until(reactor, lambda: sum(row["succ"] for row in counted()) == 1, "the call to be counted", 20)
