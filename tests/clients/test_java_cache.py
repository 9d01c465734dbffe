"""The Java client that chooses by itself, against a real agent: what leaves it, what is counted, what serves alone."""

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.built import BUILT
from tests.clients.driven import Driven
from tests.integration.fleet import Fleet, StartService
from tests.integration.waiting import until

[JAVA] = [built.driver for built in BUILT if built.name == "java"]
CACHED = (*JAVA, "1000")
A, B, C = "127.0.0.1:9001", "127.0.0.1:9002", "127.0.0.1:9003"


@pytest.fixture
def fleet(reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path) -> Iterator[Fleet]:
    """Separate processes on SQLite, with the policy that agents have by default."""
    fleet = Fleet(reactor, start_service, sqlite_url, tmp_path)
    yield fleet
    fleet.close()


@pytest.fixture
def client(fleet: Fleet) -> Iterator[Driven]:
    """A caching client of the fleet's agent."""
    client = Driven(CACHED, f"127.0.0.1:{fleet.agent_port}")
    yield client
    client.close()


async def _serving(fleet: Fleet, *hosts: str) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", *hosts)
    await fleet.serves(*hosts)


def _called(client: Driven, threads: int, calls: int, *failing: str) -> Counter[str]:
    """Makes so many calls in each of some threads at once; how many each host got."""
    given = client.ok("counted", 1, 1, threads, calls, *failing).split()
    return Counter({host: int(number) for host, _, number in (text.partition("=") for text in given)})


async def test_host_that_fails_is_left_at_once_and_each_call_is_counted(fleet: Fleet, client: Driven) -> None:
    await _serving(fleet, A, B, C)
    healthy = _called(client, 8, 100)
    assert sum(healthy.values()) == 800
    assert set(healthy) == {A, B, C}, "shares go by the times of calls, of which the JVM's first ones take long"
    ailing = _called(client, 1, 1000, B)
    assert sum(ailing.values()) == 1000
    assert ailing[B] <= 5
    await fleet.counts(1800 - ailing[B], ailing[B])


async def test_eight_threads_count_each_call_once(fleet: Fleet, client: Driven) -> None:
    await _serving(fleet, A, B, C)
    called = _called(client, 8, 5_000, B)
    assert sum(called.values()) == 40_000
    assert called[B] < 100
    await fleet.counts(40_000 - called[B], called[B])


async def test_saved_routes_serve_while_the_agent_is_killed(
    reactor: Any, fleet: Fleet, client: Driven, tmp_path: Path
) -> None:
    await _serving(fleet, A, B)
    saved = tmp_path / "state" / "routes.2.json"
    await until(reactor, lambda: saved.exists() and A in saved.read_text(), "the route to be saved")
    client.ok("call", 1, 1, "ok")
    fleet.agent.kill()
    while client.ok("alive") == "1":  # within a cache_ttl it goes on by what it knows
        assert client.ok("call", 1, 1, "ok") in (A, B)
    assert {client.ok("call", 1, 1, "ok") for _ in range(10)} == {A, B}
    assert sorted(client.ok("get_route", 1, 1).split()) == [A, B]
    assert client.call("get_host", 1, 4).startswith("AgentUnavailable the agent at ")
    fleet.agent.start()
    await fleet.serves(A, B)

    def answers() -> bool:
        client.ok("call", 1, 1, "ok")
        return client.ok("alive") == "1"

    await until(reactor, answers, "the client to see that the agent is back")


async def test_successes_are_sent_though_no_call_follows(fleet: Fleet, client: Driven) -> None:
    await _serving(fleet, A)
    for _ in range(7):
        client.ok("call", 1, 1, "ok")
    await fleet.counts(7, 0)


async def test_process_that_is_terminated_sends_what_it_gathered(fleet: Fleet) -> None:
    await _serving(fleet, A)
    client = Driven(CACHED, f"127.0.0.1:{fleet.agent_port}")
    for _ in range(7):
        client.ok("call", 1, 1, "ok")
    assert client.terminated() == 128 + signal.SIGTERM
    await fleet.counts(7, 0)


async def test_first_call_waits_for_the_hosts(fleet: Fleet, client: Driven) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A)
    assert client.ok("get_host", 1, 1) == A


async def test_failure_of_another_process_is_known_at_once(fleet: Fleet, client: Driven) -> None:
    await _serving(fleet, A, B, C)
    _called(client, 1, 300)
    other = Driven(CACHED, f"127.0.0.1:{fleet.agent_port}")
    try:
        assert _called(other, 1, 1000, B)[B] <= 5
    finally:
        other.close()
    assert _called(client, 1, 300, B)[B] <= 2
