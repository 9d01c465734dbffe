"""A gateway for each test."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from tests.integration.gateway.running_gateway import AgentAndGateway, StartService


@pytest.fixture
def starting_gateway(reactor: Any, start_service: StartService, tmp_path: Path) -> Iterator[AgentAndGateway]:
    gateway = AgentAndGateway(reactor, start_service, tmp_path)
    yield gateway
    gateway.close()


@pytest_twisted.async_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def gateway(starting_gateway: AgentAndGateway) -> AgentAndGateway:
    """A gateway, and an agent that knows ROUTES."""
    await starting_gateway.up()
    return starting_gateway
