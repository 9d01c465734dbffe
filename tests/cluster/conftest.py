"""A cluster for all tests, whole again before each, and a database on it."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from lars.db.database import Database
from lars.db.schema import init_txn
from tests.cluster.galera import Cluster
from tests.integration.conftest import *  # noqa: F403  # fixtures are found by being here


@pytest.fixture(scope="session")
def _cluster(reactor: Any) -> Iterator[Cluster]:
    cluster = Cluster(reactor)
    try:
        pytest_twisted.blockon(Deferred.fromCoroutine(cluster.launch()))
        yield cluster
    finally:
        cluster.close()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def cluster(_cluster: Cluster) -> AsyncIterator[Cluster]:
    """Three nodes, all synced; whatever the test does to them is mended after it."""
    yield _cluster
    await _cluster.healed()


@pytest_twisted.async_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def name(cluster: Cluster, open_database: Callable[[str], Database]) -> str:
    """The name of a database with the whole schema and no rows."""
    name = cluster.new_database()
    await open_database(cluster.url(name)).write_repeatable("create the schema", init_txn)
    return name


@pytest.fixture
def databases(cluster: Cluster, name: str, open_database: Callable[[str], Database]) -> list[Database]:
    """One database, opened once on each node first."""
    return [open_database(cluster.url(name, first)) for first in range(3)]
