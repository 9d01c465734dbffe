"""Where figures are measured: one database engine, and what is started there, which all ends with it."""

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from bench.processes.child_process import ChildProcess
from bench.services.database import RouteDatabase
from bench.services.lars_dns import LarsDns
from bench.services.lars_reporter import LarsReporter
from bench.services.mariadb import MariaDb

Started = TypeVar("Started", bound=ChildProcess)

ENGINES = ("sqlite", "mariadb")


class Ground:
    """An engine, and how large the figures are to be.

    With `small` every size is cut to about a twentieth, to see in a minute that the benchmarks work: such figures say
    nothing about the bars.
    """

    def __init__(self, engine: str, small: bool) -> None:
        self.engine = engine
        self.small = small
        self._ends = ExitStack()
        self._figure_ends = ExitStack()
        self._mariadb: MariaDb | None = None
        self._databases = 0

    def size(self, full: int) -> int:
        """A number of things, or its twentieth."""
        return max(1, full // 20) if self.small else full

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="lars-bench-"))
        self._ends.callback(shutil.rmtree, self._folder, ignore_errors=True)
        try:
            if self.engine == "mariadb":
                self._mariadb = self._ends.enter_context(MariaDb())
                self._mariadb.launch()
        except BaseException:
            self._ends.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end_figure()
        self._ends.close()

    def end_figure(self) -> None:
        """Ends what was started for a figure."""
        self._figure_ends.close()

    def database(self) -> RouteDatabase:
        """A new database with the schema and no routes, for one figure."""
        self._databases += 1
        name = f"lars_{self._databases}"
        url = self._mariadb.url(name) if self._mariadb else f"sqlite:///{self._folder}/{name}.db"
        database = RouteDatabase(url)
        self._figure_ends.callback(database.close)
        return database

    def own(self, process: Started) -> Started:
        """A process that ends with the figure."""
        self._figure_ends.enter_context(process)
        return process

    def reporter(self, database: RouteDatabase, *options: str) -> LarsReporter:
        """A lars-reporter on that database, for one figure; it takes connections."""
        reporter = self._figure_ends.enter_context(LarsReporter(database.url, *options))
        reporter.start()
        reporter.until_listening()
        return reporter

    def dns(self, database: RouteDatabase, poll_interval: float = 1.0) -> LarsDns:
        """A lars-dns on that database, for one figure; not started yet."""
        return self._figure_ends.enter_context(LarsDns(database.url, poll_interval))
