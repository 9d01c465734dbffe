"""The fixtures of the tests with real processes: servers, databases, services, and the check of what they leave."""

import gc
import inspect
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as real_reactor
from twisted.internet.defer import Deferred

from lars.db.database import Database, engine_for
from lars.db.schema import init_txn
from lars.db.url import parse_url
from tests.integration.leftovers import LoggedErrors, ReactorContents
from tests.integration.mariadb import MariaDb
from tests.integration.processes import TwistdService
from tests.integration.stepped_clock import SteppedClock, build_shim

StartService = Callable[..., TwistdService]


SLOWEST = Path(__file__).with_name("slowest.txt")
"""The tests that start first, so that none of them is left to run alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every `async def test_…` runs in the reactor; the slowest tests come first."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            pytest_twisted.ensureDeferred(getattr(item.obj, "__func__", item.obj))
    order = SLOWEST.read_text(encoding="utf-8").split()
    places = {name: place for place, name in enumerate(order)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("[")[0], len(order)))


@pytest.fixture(scope="session", autouse=True)
def signals_as_in_a_terminal() -> None:
    """Undoes what `nohup` and a shell's `&` leave to their processes: ignored signals, which tests send."""
    for number in (signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


@pytest.fixture(scope="session")
def reactor() -> Any:
    """The reactor that the tests run in."""
    gc.collect()
    gc.freeze()  # what is imported by now need not be looked at after each test
    return real_reactor


@pytest_twisted.async_yield_fixture(autouse=True)  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def logged_errors(reactor: Any) -> AsyncIterator[LoggedErrors]:
    """Fails the test on logged errors that it did not take, and on what it leaves in the reactor."""
    contents = ReactorContents(reactor)
    errors = LoggedErrors()
    errors.watch()
    yield errors
    left = await contents.settled()
    errors.stop()
    problems = [f"logged: {text}" for text in errors.take()] + [f"left in the reactor: {text}" for text in left]
    assert not problems, "\n".join(problems)


def launched_mariadb(reactor: Any, tls: bool = False) -> Iterator[MariaDb]:
    """A server that answers, for a fixture to yield from; it ends with the fixture."""
    server = MariaDb(reactor, tls)
    try:
        pytest_twisted.blockon(Deferred.fromCoroutine(server.launch()))
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def mariadb(reactor: Any) -> Iterator[MariaDb]:
    """The server that tests share; no test kills or pauses it."""
    yield from launched_mariadb(reactor)


@pytest.fixture
def own_mariadb(reactor: Any) -> Iterator[MariaDb]:
    """A server for one test alone, to be killed and paused."""
    yield from launched_mariadb(reactor)


@pytest.fixture
def own_tls_mariadb(reactor: Any) -> Iterator[MariaDb]:
    """As own_mariadb, and connections to it are encrypted."""
    yield from launched_mariadb(reactor, tls=True)


@pytest.fixture
def mariadb_url(mariadb: MariaDb) -> str:
    """The URL of an empty database on the shared server."""
    return mariadb.url(mariadb.new_database())


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path}/lars.db"


@pytest.fixture(params=["sqlite", "mariadb"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, once on each engine."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def open_database(reactor: Any) -> Iterator[Callable[[str], Database]]:
    """Opens databases by URL, as a service does, and closes them after the test."""
    opened: list[Database] = []

    def open_one(url: str) -> Database:
        opened.append(Database(engine_for(parse_url(url)), reactor))
        return opened[-1]

    yield open_one
    for database in opened:
        database.close()


@pytest_twisted.async_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def database(database_url: str, open_database: Callable[[str], Database]) -> Database:
    """A database with the whole schema and no rows, once on each engine."""
    database = open_database(database_url)
    await database.write("create the schema", init_txn)
    return database


@pytest.fixture(scope="session")
def clock_shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What makes a SteppedClock of a process's wall clock."""
    return build_shim(tmp_path_factory.mktemp("clock"))


@pytest.fixture
def stepped_clock(clock_shim: Path, tmp_path: Path) -> SteppedClock:
    """The wall clock of the services that a test starts with its environ."""
    return SteppedClock(clock_shim, tmp_path / "clock")


@pytest.fixture
def start_service(reactor: Any, tmp_path: Path) -> Iterator[StartService]:
    """Starts Lars services as processes, as `start_service("lars-dns", "--db", url)`; ends them after the test.

    A traceback in the log of any of them fails the test.
    """
    services: list[TwistdService] = []

    def start(plugin: str, *options: str, name: str = "", environ: Mapping[str, str] | None = None) -> TwistdService:
        service = TwistdService(reactor, tmp_path, plugin, *options, name=name, environ=environ)
        assert all(service.name != other.name for other in services), f"give the second {service.name} another name"
        services.append(service)
        service.start()
        return service

    yield start
    for service in services:
        service.close()
        sys.stdout.write(f"--- {service.name}\n{service.log()[-5000:]}\n")  # pytest shows it if the test has failed
    bugs = [f"{service.name}: {service.bugs()}" for service in services if service.bugs()]
    assert not bugs, "\n".join(bugs)
