"""The fixtures of the integration tests, a fleet on SQLite, and a client of each language."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.built import BUILT, Built
from tests.clients.driven import Driven
from tests.integration.conftest import *  # noqa: F403  # fixtures are found by being here
from tests.integration.fleet import Fleet, StartService


@pytest.fixture(params=BUILT, ids=lambda built: built.name)
def built(request: pytest.FixtureRequest) -> Built:
    """What is built of one client, once for each language."""
    built: Built = request.param
    return built


@pytest.fixture
def fleet(reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path) -> Iterator[Fleet]:
    """Separate processes on SQLite; the agent picks in strict turns, and ejects by counts alone."""
    fleet = Fleet(reactor, start_service, sqlite_url, tmp_path, "--policy=classic")
    yield fleet
    fleet.close()


@pytest.fixture
def client(built: Built, fleet: Fleet) -> Iterator[Driven]:
    """A client of the fleet's agent."""
    client = Driven(built.driver, f"127.0.0.1:{fleet.agent_port}")
    yield client
    client.close()
