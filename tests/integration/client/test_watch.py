"""Watches of all three clients follow a real agent through edits, ejections and its death."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from lars.client.watched_route import Route
from tests.integration.client.conftest import MakeClient
from tests.integration.client.drivers import DRIVERS, Driver
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.fleet import Fleet, StartService
from tests.integration.waiting import until

A, B = "127.0.0.1:9001", "127.0.0.1:9002"


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def fleet(reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    fleet = Fleet(reactor, start_service, sqlite_url, tmp_path, "--policy=classic")
    yield fleet
    fleet.close()


def shown(route: Route) -> tuple[list[str], list[str]]:
    """All hosts, and the healthy ones."""
    return [str(host) for host in route.all], [str(host) for host in route.healthy]


async def test_edits_and_ejections_reach_every_client_and_close_ends_the_watch(reactor: Any, fleet: Fleet) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A)
    address = f"127.0.0.1:{fleet.agent_port}"
    clients: dict[str, Driver] = {name: make(agent=address, state_dir="") for name, make in DRIVERS.items()}
    seen: dict[str, list[Route]] = {name: [] for name in clients}
    following = [Deferred.fromCoroutine(client.watch(seen[name])) for name, client in clients.items()]

    async def all_see(*expected: tuple[list[str], list[str]]) -> None:
        """Waits until every client has seen these last."""
        await until(
            reactor,
            lambda: all(
                [shown(route) for route in routes][-len(expected) :] == [*expected] for routes in seen.values()
            ),
            lambda: f"all to see {expected}; seen {seen}",
        )

    try:
        await all_see(([A], [A]))
        fleet.commands.ok("route", "add", "1", "1", B)
        await all_see(([A], [A]), ([A, B], [A, B]))
        for host in fleet.client.get_route(1, 1):
            if str(host) == B:
                for _ in range(20):
                    fleet.client.report(host, 1)
        await all_see(([A, B], [A, B]), ([A, B], [A]))
        fleet.commands.ok("route", "rm", "1", "1", A, B)
        await all_see(([], []))
    finally:
        for client in clients.values():
            await client.close()
        await gatherResults(following)
        for client in clients.values():
            await client.end()
    assert all(len(routes) <= 6 for routes in seen.values()), "a route that had not changed was yielded again"


async def test_watch_goes_on_after_its_agent_was_away(reactor: Any, agent: LoneAgent, make_client: MakeClient) -> None:
    client = make_client(agent=agent.address, state_dir=agent.state_dir)
    seen: list[Route] = []
    following = Deferred.fromCoroutine(client.watch(seen))
    await until(reactor, lambda: bool(seen), "the saved route to be seen, the agent being away")
    process = await agent.up()
    await until(reactor, lambda: client.alive, "the watch to find the agent")
    process.kill()
    await process.ended()
    await until(reactor, lambda: not client.alive, "the watch to miss the agent")
    await client.close()
    await following
    assert [shown(route) for route in seen] == [([A, B], [A, B])]
