"""A whole Lars around one agent: database, lars-dns, lars-reporter and lars-agent, each a process of its own."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from types import TracebackType
from typing import Self

from bench.errors import BenchError
from bench.processes.waiting import until
from bench.services.lars_agent import LarsAgent
from bench.services.lars_reporter import LarsReporter
from bench.services.testbed import Ground
from lars.client import AgentUnavailable, LarsClient
from lars.db.database import engine_for
from lars.db.url import parse_url
from lars.route import ModuleId

_UP = 60
"""Seconds until an agent answers, at most."""


class Fleet:
    """A Lars that serves the given rows of RouteData; its services end with the block."""

    def __init__(self, ground: Ground, workers: int, rows: Iterable[Sequence[int]]) -> None:
        self._ends = ExitStack()
        self._ground = ground
        self._workers = workers
        self._rows = rows

    def __enter__(self) -> Self:
        with ExitStack() as started:
            database = self._ground.database()
            database.fill(self._rows)
            self._url = database.url
            self._dns = started.enter_context(self._ground.dns(database))
            self._reporter = started.enter_context(LarsReporter(database.url))
            self.agent = started.enter_context(LarsAgent(self._workers, self._dns.port, self._reporter.port))
            for service in (self._dns, self._reporter, self.agent):
                service.start()
            self.client = started.enter_context(
                closing(LarsClient(self.agent.address, timeout=5, cache=False, state_dir=""))
            )
            self._ends = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.close()

    def until_answering(self, modules: Iterable[ModuleId], hosts: int) -> None:
        """Waits until the agent knows all the hosts of each module."""
        for module in modules:
            try:
                until(partial(self._knows, module, hosts), f"the agent to know module {module}", _UP)
            except BenchError as error:
                raise BenchError(f"{error}; {self._last_words()}") from None

    def _knows(self, module: ModuleId, hosts: int) -> bool:
        self.agent.require_running()
        try:
            return len(self.client.get_route(*module)) == hosts
        except AgentUnavailable:
            return False

    def _last_words(self) -> str:
        return "; ".join(f"{each.name} said: {each.last_words()}" for each in (self._dns, self._reporter, self.agent))

    def until_counted(self, successes: int, deadline: float) -> None:
        """Waits until the database has just so many successes; what is lost or counted twice is no fair figure."""
        until(lambda: self.counted() >= successes, f"{successes} calls in the database", deadline, 0.2)
        if (counted := self.counted()) != successes:
            raise BenchError(f"{counted} calls are in the database, {successes} were reported")

    def counted(self) -> int:
        """The successes in the database."""
        connection = engine_for(parse_url(self._url)).connect()
        try:
            cursor = connection.cursor()
            cursor.execute("SELECT COALESCE(SUM(succ_cnt), 0) FROM ServerCallHistory")
            return int(cursor.fetchone()[0])
        finally:
            connection.close()
