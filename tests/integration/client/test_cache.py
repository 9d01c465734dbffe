"""The cache of every client with a real agent: it goes on choosing while hosts are ejected, and knows keys."""

import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.threads import deferToThread

from lars.client import Host
from lars.errors import LarsError
from lars.route import HostAddress, ModuleId, parse_host
from tests.integration.client.conftest import MakeClient
from tests.integration.client.drivers import Driver
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.fleet import Commands, StartService
from tests.integration.waiting import until

MODULE = ModuleId(1, 1)
HOSTS = [parse_host(f"127.0.0.1:{port}") for port in (9001, 9002, 9003, 9004, 9005)]
DEAD = HOSTS[0]


def agent_of(start_service: StartService, folder: Path, policy: str) -> LoneAgent:
    return LoneAgent(start_service, folder, {MODULE: HOSTS}, f"--policy={policy}")


@pytest.fixture
def hashing(start_service: StartService, tmp_path: Path) -> Iterator[LoneAgent]:
    agent = agent_of(start_service, tmp_path, "consistent_hash")
    yield agent
    agent.close()


@pytest.fixture(params=["adaptive", "classic"])
def balancing(start_service: StartService, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LoneAgent]:
    agent = agent_of(start_service, tmp_path, request.param)
    yield agent
    agent.close()


async def test_calls_of_one_key_go_to_one_host_with_and_without_the_cache(
    hashing: LoneAgent, make_client: MakeClient
) -> None:
    await hashing.up()
    cached, plain = make_client(agent=hashing.address), make_client(agent=hashing.address, cache=False)
    chosen: dict[Any, Host] = {}
    for key in (0, 1, 2**64 - 2, "user 17", "用户", b"\0\xff", *range(100, 130)):
        for client in (cached, plain, cached):
            host = await client.get_host(key=key)
            assert host == chosen.setdefault(key, host), key
            await client.report(host)
    assert len(set(chosen.values())) == len(HOSTS)
    assert await cached.get_host(key=b"user 17") == chosen["user 17"]
    called: list[Host] = []
    await cached.call(called.append, key="user 17")
    assert called == [chosen["user 17"]]


async def test_command_gives_the_host_of_a_key(hashing: LoneAgent, make_client: MakeClient, tmp_path: Path) -> None:
    await hashing.up()
    client = make_client(agent=hashing.address)
    lars = Commands("sqlite:///unused.db", hashing.address, tmp_path)
    for given, key in (("17", 17), ("user 17", "user 17")):
        printed = await deferToThread(lars.ok, "get-host", "1", "1", "--key", given)
        assert printed.strip() == str(await client.get_host(key=key))
    refused = await deferToThread(lars.run, "get-host", "1", "1", "--key", str(2**64))
    assert (refused.returncode, "give a number from 0 to 2**64 - 1" in refused.stderr) == (1, True), refused


async def test_wrong_key_is_refused_with_a_text(hashing: LoneAgent, make_client: MakeClient) -> None:
    await hashing.up()
    client = make_client(agent=hashing.address)
    for key in (-1, 2**64, 1.5, True):
        with pytest.raises(LarsError, match="cannot be used: give a number from 0"):
            await client.get_host(key=key)  # type: ignore[arg-type]


async def test_choosing_goes_on_while_a_host_is_ejected(
    reactor: Any, balancing: LoneAgent, make_client: MakeClient
) -> None:
    await balancing.up()
    client = make_client(agent=balancing.address, cache_ttl=0.5, timeout=2.0)
    others = [make_client(agent=balancing.address) for _ in range(2)]  # one process alone ejects nobody
    await client.report(await client.get_host())
    for _ in range(20):
        for other in others:
            await other.report(Host(MODULE, DEAD), 1)
            await other.report(Host(MODULE, HOSTS[1]))

    async def ejected() -> bool:
        return await balancing.counted('lars_agent_hosts{state="overloaded"}') == 1

    await until(reactor, ejected, "the host to be ejected", 5)
    began = time.monotonic()
    while time.monotonic() - began < 0.5:
        await call(client)
    asked, before = await asks(balancing), time.monotonic()
    seen = set()
    for _ in range(300):
        seen.add(await call(client))
    assert seen == set(HOSTS[1:])
    assert await asks(balancing) - asked <= 1 + (time.monotonic() - before) / 0.5


async def call(client: Driver) -> HostAddress:
    """One call, which fails if it goes to the dead host."""
    host = await client.get_host()
    await client.report(host, int(host.address == DEAD))
    return host.address


async def asks(agent: LoneAgent) -> int:
    """How often the agent gave a host."""
    return await agent.counted('lars_agent_get_host_total{answer="succ"}')


PROCESS = """
    import asyncio, json, socket, sys, time
    from lars.client import LarsClient, asyncio as lars_asyncio

    kind, address, pause = sys.argv[1], sys.argv[2], 0.04
    clients = {"asyncio": lars_asyncio.LarsClient, "blocking": LarsClient}

    async def result(value):
        return await value if kind == "asyncio" else value

    async def main():
        client = clients[kind](address, cache_ttl=30, timeout=2)
        failed = []

        async def call():
            host = await result(client.get_host(1, 1))
            try:
                socket.create_connection((str(host).split(":")[0], host.port), timeout=5).close()
                client.report(host)
            except ConnectionRefusedError:
                failed.append(time.monotonic())
                client.report(host, 1)
            await asyncio.sleep(pause)

        await result(client.register(1, 1))
        for _ in range(20):
            await call()
        print("warm", flush=True)
        sys.stdin.readline()
        end = time.monotonic() + 2
        while time.monotonic() < end:
            await call()
        client.close()
        print(json.dumps(failed))

    asyncio.run(main())
"""


class Processes:
    """Processes that call the hosts of module (1, 1), and say when calls were refused."""

    def __init__(self, kind: str, address: str, number: int) -> None:
        command = [sys.executable, "-c", textwrap.dedent(PROCESS), kind, address]
        self._processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(number)
        ]

    def warm(self) -> list[str]:
        """Waits until each has made some calls."""
        return [process.stdout.readline().strip() for process in self._processes if process.stdout is not None]

    def go_on(self) -> list[list[float]]:
        """Two seconds of calls; when calls of each were refused, on the monotonic clock of the machine."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write("go on\n")
            process.stdin.flush()
        return [json.loads(process.communicate(timeout=60)[0]) for process in self._processes]


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
async def test_host_that_dies_fails_once_or_twice_for_all_processes_of_a_machine(
    reactor: Any, start_service: StartService, tmp_path: Path, kind: str
) -> None:
    ports = [reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1") for _ in range(5)]
    hosts = [HostAddress(DEAD.ip, port.getHost().port) for port in ports]
    agent = LoneAgent(start_service, tmp_path, {MODULE: hosts})
    try:
        await agent.up()
        processes = await deferToThread(Processes, kind, agent.address, 4)
        assert await deferToThread(processes.warm) == ["warm"] * 4
        await ports[0].stopListening()
        died = time.monotonic()
        failed = await deferToThread(processes.go_on)
    finally:
        agent.close()
        for port in ports[1:]:
            await port.stopListening()
    # Each would call it ten times; and once at least if it did not know what the others know.
    assert 1 <= sum(map(len, failed)) <= 3, failed
    assert max(at for times in failed for at in times) - died < 1.0, failed
