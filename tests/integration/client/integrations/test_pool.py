"""A pool follows a real agent: objects of hosts that leave the route are ended, once they are free."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_twisted
from twisted.internet.threads import deferToThread

from lars.client import Host, LarsClient
from lars.client.integrations.pool import HostPool
from lars.route import ModuleId, parse_host
from tests.integration.fleet import Fleet, StartService
from tests.integration.waiting import until

A, B = "127.0.0.1:9001", "127.0.0.1:9002"


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def fleet(reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    fleet = Fleet(reactor, start_service, sqlite_url, tmp_path)
    yield fleet
    fleet.close()


async def test_object_of_a_host_that_leaves_is_ended_when_it_is_free(reactor: Any, fleet: Fleet) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A, B)
    made: list[str] = []
    ended: list[str] = []

    def make(host: Host) -> str:
        made.append(str(host))
        return str(host)

    with LarsClient(f"127.0.0.1:{fleet.agent_port}", state_dir="") as client:
        await deferToThread(client.ready, 1, 1)
        pool = HostPool(client, 1, 1, make, ended.append)
        busy = pool.acquire(Host(ModuleId(1, 1), parse_host(A)))

        def use() -> set[str]:
            used = set()
            for _ in range(8):
                with pool.use() as connection:
                    used.add(connection)
            return used

        assert await deferToThread(use) == {A, B}
        assert sorted(made) == [A, B]
        free = pool.acquire(Host(ModuleId(1, 1), parse_host(B)))
        pool.release(free)
        fleet.commands.ok("route", "rm", "1", "1", A, B)
        await until(reactor, lambda: ended == [B], lambda: f"B to be ended, not {ended}")
        pool.release(busy)
        assert ended == [B, A]
        pool.close()


def test_child_of_a_fork_begins_with_a_pool_of_its_own() -> None:
    ended: list[str] = []
    with LarsClient("127.0.0.1:1", state_dir="") as client:
        pool = HostPool(client, 1, 1, str, ended.append)
        host = Host(ModuleId(1, 1), parse_host(A))
        mine = pool.acquire(host)
        child = os.fork()
        if not child:
            os._exit(0 if pool.acquire(host) is not mine and not ended else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        pool.release(mine)
        pool.close()
        assert ended == [A]
