"""A whole Lars around one agent: database, lars-dns, lars-reporter and lars-agent, each a process of its own."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from types import TracebackType
from typing import Self

from bench.errors import BenchError
from bench.processes.errors import ProcessError
from bench.processes.waiting import until
from bench.services.lars_agent import LarsAgent
from bench.services.lars_reporter import LarsReporter
from bench.services.testbed import Testbed
from lars.client import AgentUnavailable, LarsClient
from lars.db.database import engine_for
from lars.db.url import parse_url
from lars.route import ModuleId

_UP = 60.0
"""Seconds until an agent knows a module, at most."""


class Fleet:
    """A Lars that serves the given rows of RouteData; its services are ready, and end with the block."""

    def __init__(self, testbed: Testbed, workers: int, rows: Iterable[Sequence[object]]) -> None:
        self._stack = ExitStack()
        self._testbed = testbed
        self._workers = workers
        self._rows = rows

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            database = self._testbed.database()
            database.fill(self._rows)
            self._url = database.url
            dns = stack.enter_context(self._testbed.dns(database))
            reporter = stack.enter_context(LarsReporter(database.url))
            self.agent = stack.enter_context(LarsAgent(self._workers, dns.port, reporter.port))
            self._services = (dns, reporter, self.agent)
            for service in self._services:
                service.start()
            for service in self._services:
                service.until_ready()
            self.client = stack.enter_context(
                closing(LarsClient(self.agent.address, timeout=5, cache=False, state_dir=""))
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def until_answering(self, modules: Iterable[ModuleId], hosts: int) -> None:
        """Waits until the agent knows all the hosts of each module."""
        for module in modules:
            try:
                until(partial(self._knows, module, hosts), f"the agent to know module {module}", _UP)
            except ProcessError as error:
                logs = "; ".join(f"the log of {each.name} ends: {each.last_lines()}" for each in self._services)
                raise BenchError(f"{error}; {logs}") from None

    def _knows(self, module: ModuleId, hosts: int) -> bool:
        self.agent.require_running()
        try:
            return len(self.client.get_route(*module)) == hosts
        except AgentUnavailable:
            return False

    def until_counted(self, successes: int, deadline: float) -> None:
        """Waits until the database has just so many successes; raises BenchError if some are lost or counted twice."""
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
