"""The clients that choose by themselves, with a real agent: its counts, a host that fails, an agent that is killed."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.built import CACHED, Cached
from tests.clients.driven import Driven
from tests.integration.fleet import Fleet, StartService
from tests.integration.waiting import until

HOSTS = [f"127.0.0.1:{port}" for port in (9001, 9002, 9003, 9004)]

Clients = Callable[..., Driven]


@pytest.fixture(params=CACHED, ids=lambda cached: cached.name)
def cached(request: pytest.FixtureRequest) -> Cached:
    """The driver of one language whose client chooses by itself."""
    cached: Cached = request.param
    return cached


@pytest.fixture
def fleet(
    request: pytest.FixtureRequest, reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path
) -> Iterator[Fleet]:
    """Separate processes on SQLite; the policy is the test's parameter, or adaptive."""
    policy = getattr(request, "param", "adaptive")
    fleet = Fleet(reactor, start_service, sqlite_url, tmp_path, f"--policy={policy}")
    yield fleet
    fleet.close()


@pytest.fixture
def clients(cached: Cached, fleet: Fleet) -> Iterator[Clients]:
    """Starts a client with a cache_ttl in seconds and, if there is one, the folder of saved routes."""
    started: list[Driven] = []

    def start(ttl: float, state_dir: str = "") -> Driven:
        started.append(Driven(cached.with_cache(ttl, state_dir), f"127.0.0.1:{fleet.agent_port}"))
        return started[-1]

    yield start
    for client in started:
        client.close()


async def serving(fleet: Fleet, hosts: list[str] = HOSTS) -> None:
    """Waits until the agent serves the hosts for (1, 1)."""
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", *hosts)
    await fleet.serves(*hosts)


def calls(client: Driven, number: int, failing: str = "", how: str = "calls") -> tuple[int, int]:
    """Makes calls, of which those to one host fail; how many succeeded, and failed."""
    succeeded, failed = client.ok(how, 1, 1, number, failing).split()
    return int(succeeded), int(failed)


async def test_agent_counts_the_calls_that_were_made(fleet: Fleet, clients: Clients) -> None:
    await serving(fleet)
    client = clients(0.2)
    assert calls(client, 20_000) == (20_000, 0)
    client.ok("flush")
    await fleet.counts(20_000, 0)
    rows = fleet.commands.json("status", "1", "1")
    assert len(rows) == len(HOSTS)
    assert all(4_500 < row["succ"] < 5_500 for row in rows)


async def test_failing_host_is_left_at_once(fleet: Fleet, clients: Clients) -> None:
    await serving(fleet)
    client = clients(1.0)
    assert calls(client, 2_000) == (2_000, 0)
    succeeded, failed = calls(client, 2_000, HOSTS[2])
    assert succeeded + failed == 2_000
    assert 1 <= failed <= 4
    client.ok("flush")
    await fleet.counts(2_000 + succeeded, failed)


async def test_what_one_process_has_found_failing_others_leave_too(
    reactor: Any, fleet: Fleet, clients: Clients
) -> None:
    await serving(fleet)
    finder, other = clients(0.1), clients(0.1)

    def watch() -> bool:
        """Whether the agent has what they gathered, with which they ask for notices."""
        calls(finder, 20)
        calls(other, 20)
        return fleet.counted()[0] >= 100

    await until(reactor, watch, "the processes to watch the module")
    assert 1 <= calls(finder, 2_000, HOSTS[1])[1] <= 4
    assert calls(other, 2_000, HOSTS[1])[1] <= 3


async def test_saved_routes_serve_while_the_agent_is_down(
    reactor: Any, fleet: Fleet, clients: Clients, tmp_path: Path
) -> None:
    await serving(fleet)
    state_dir = tmp_path / "state"
    await until(reactor, lambda: (state_dir / "routes.2.json").exists(), "routes to be saved")
    client = clients(0.05, str(state_dir))
    assert calls(client, 100) == (100, 0)
    assert client.ok("alive") == "1"
    fleet.agent.kill()
    await until(reactor, lambda: client.ok("get_host", 1, 1) != "" and client.ok("alive") == "0", "it to notice")
    chosen = Counter(client.ok("get_host", 1, 1) for _ in range(40))
    assert chosen == dict.fromkeys(HOSTS, 10)
    assert sorted(client.ok("get_route", 1, 1).split()) == HOSTS
    fleet.agent.start()
    await fleet.serves(*HOSTS)
    await until(reactor, lambda: client.ok("get_host", 1, 1) != "" and client.ok("alive") == "1", "it to be back")


async def test_eight_threads_lose_no_count(fleet: Fleet, clients: Clients) -> None:
    await serving(fleet)
    client = clients(0.05)
    assert calls(client, 5_000, how="threads") == (40_000, 0)
    client.ok("flush")
    await fleet.counts(40_000, 0)


@pytest.mark.parametrize("cached", [cached for cached in CACHED if cached.name == "cpp"], indirect=True)
async def test_child_of_a_fork_counts_its_own_calls_alone(fleet: Fleet, clients: Clients) -> None:
    await serving(fleet)
    client = clients(60.0)
    assert calls(client, 1_000) == (1_000, 0)
    assert calls(client, 500, how="forked") == (500, 0)
    await fleet.counts(501, 0)  # the parent's first, and the child's
    client.ok("flush")
    await fleet.counts(1_500, 0)


@pytest.mark.parametrize("fleet", ["consistent_hash"], indirect=True)
async def test_agent_and_client_choose_the_same_host_for_a_key(fleet: Fleet, clients: Clients) -> None:
    await serving(fleet)
    asking, choosing = clients(0), clients(60.0)
    choosing.ok("keyed", 1, 1, "first")  # for which it asks
    keys = [f"user{number}" for number in range(30)]
    by_agent = {key: asking.ok("keyed", 1, 1, key) for key in keys}
    assert {key: choosing.ok("keyed", 1, 1, key) for key in keys} == by_agent
    assert len(set(by_agent.values())) > 1


@pytest.mark.parametrize("fleet", ["classic"], indirect=True)
async def test_classic_ejects_at_the_agent(fleet: Fleet, clients: Clients) -> None:
    await serving(fleet)
    client = clients(0.2)
    succeeded, failed = calls(client, 2_000, HOSTS[0])
    assert succeeded + failed == 2_000
    assert failed < 60
    client.ok("flush")
    await fleet.counts(succeeded, failed)
