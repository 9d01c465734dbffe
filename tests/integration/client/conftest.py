"""The fixtures of the clients' tests: a real agent with routes of its own, and each client in turn."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from lars.route import ModuleId, parse_host
from tests.integration.client.drivers import DRIVERS, Driver
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.fleet import StartService

MakeClient = Callable[..., Driver]


@pytest.fixture
def agent(start_service: StartService, tmp_path: Path) -> Iterator[LoneAgent]:
    """Module (1, 1) with two hosts; not started yet."""
    hosts = [parse_host(f"127.0.0.1:{port}") for port in (9001, 9002)]
    agent = LoneAgent(start_service, tmp_path, {ModuleId(1, 1): hosts})
    yield agent
    agent.close()


@pytest.fixture
def classic_agent(start_service: StartService, tmp_path: Path) -> Iterator[LoneAgent]:
    """The same with the policy classic, which ejects by the reports of one process alone, and any host."""
    hosts = [parse_host(f"127.0.0.1:{port}") for port in (9001, 9002)]
    agent = LoneAgent(start_service, tmp_path, {ModuleId(1, 1): hosts}, "--policy=classic")
    yield agent
    agent.close()


@pytest_twisted.async_yield_fixture(params=sorted(DRIVERS))  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def make_client(request: pytest.FixtureRequest, reactor: Any) -> AsyncIterator[MakeClient]:
    """Makes clients of one kind, once for each kind; closes them after the test.

    They read no saved routes of an agent that runs on this machine, unless `state_dir` says so.
    """
    made: list[Driver] = []

    def make(**arguments: Any) -> Driver:
        made.append(DRIVERS[request.param](**{"state_dir": "", **arguments}))
        return made[-1]

    yield make
    for client in made:
        await client.close()
        await client.end()
