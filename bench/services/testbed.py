"""One database engine and the services that are started on it, which all end with the testbed."""

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from bench.processes.child_process import ChildProcess
from bench.processes.process_tree import cpu_seconds
from bench.services.database import RouteDatabase
from bench.services.lars_dns import LarsDns
from bench.services.lars_reporter import LarsReporter
from bench.services.mariadb import MariaDb

Process = TypeVar("Process", bound=ChildProcess)

ENGINES = ("sqlite", "mariadb")


class Testbed:
    """An engine, and the size of the figures.

    With `small` every size is cut to about a twentieth, to see in a minute that the benchmarks work: such figures say
    nothing about the bars.
    """

    def __init__(self, engine: str, small: bool) -> None:
        self.small = small
        self._engine = engine
        self._stack = ExitStack()
        self._figure_stack = ExitStack()
        self._mariadb: MariaDb | None = None
        self._databases = 0

    def size(self, full: int) -> int:
        """A number of things, or a twentieth of it."""
        return max(1, full // 20) if self.small else full

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._folder = Path(tempfile.mkdtemp(prefix="lars-bench-"))
            stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
            if self._engine == "mariadb":
                self._mariadb = stack.enter_context(MariaDb())
                self._mariadb.launch()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end_figure()
        self._stack.close()

    def end_figure(self) -> None:
        """Ends what was started for a figure."""
        self._figure_stack.close()

    def database(self) -> RouteDatabase:
        """A new database with the schema and no routes, for one figure."""
        self._databases += 1
        name = f"lars_{self._databases}"
        url = self._mariadb.url(name) if self._mariadb else f"sqlite:///{self._folder}/{name}.db"
        database = RouteDatabase(url)
        self._figure_stack.callback(database.close)
        return database

    def database_cpu_seconds(self) -> float:
        """CPU time of the database server so far; 0 for SQLite, which works inside the service."""
        return cpu_seconds(self._mariadb.pid) if self._mariadb else 0.0

    def own(self, process: Process) -> Process:
        """A process that ends with the figure."""
        self._figure_stack.enter_context(process)
        return process

    def reporter(self, database: RouteDatabase, *options: str) -> LarsReporter:
        """A lars-reporter on that database, for one figure; it is ready."""
        return self.own(LarsReporter(database.url, *options)).launch()

    def dns(self, database: RouteDatabase, poll_interval: float = 1.0, *options: str) -> LarsDns:
        """A lars-dns on that database, for one figure; not started yet."""
        return self.own(LarsDns(database.url, poll_interval, *options))
