"""The database of a drill: one MariaDB server in a zone, or whatever else fills the same place."""

from collections.abc import Sequence
from typing import Any, Protocol

from bench.processes.child_process import ChildProcess
from bench.processes.mariadb_server import MariaDbServer
from bench.processes.waiting import until
from tests.drill.network import Zone
from tests.drill.processes import READY

PORT = 3306


class DrillDatabase(Protocol):
    """A database that all zones share."""

    @property
    def url(self) -> str:
        """What services get as --db; `lars db init` makes the database itself, named lars."""

    @property
    def nodes(self) -> Sequence[ChildProcess]:
        """The servers, which a drill may kill and stop; each logs "ready for connections" once it answers."""

    def launch(self) -> None:
        """Starts it, and waits until it answers."""

    def query(self, sql: str, parameters: Sequence[object] = (), database: str | None = None) -> list[tuple[Any, ...]]:
        """Runs one statement with all rights, also while zones are cut off."""

    def close(self) -> None:
        """Ends it and deletes its data."""


class DatabaseNode(MariaDbServer):
    """A MariaDB server at an address of a zone."""

    def __init__(self, zone: Zone) -> None:
        small = ["--innodb-log-file-size=8M", "--innodb-flush-method=nosync"]
        fast = ["--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=2"]
        self.address = zone.address()
        super().__init__([*small, *fast, f"--bind-address={self.address}", f"--port={PORT}"], small)
        self._command = zone.command(self._command)

    @property
    def url(self) -> str:
        """What services get as --db."""
        return f"mysql://lars:lars@{self.address}:{PORT}/lars"

    @property
    def nodes(self) -> Sequence[ChildProcess]:
        """Itself."""
        return [self]

    def launch(self) -> None:
        """Makes the data, starts the server and waits until it answers."""
        self.install()
        self.start()
        until(self.is_ready, f"mariadbd to answer: {self.last_lines()}", READY)
        self.query("CREATE USER 'lars'@'%%' IDENTIFIED BY 'lars'")
        self.query("GRANT ALL ON *.* TO 'lars'@'%%'")
