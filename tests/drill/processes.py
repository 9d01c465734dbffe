"""Processes in zones: services of Lars, a database server, and any other program."""

import http.client
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from bench.exposition import Samples, parsed
from bench.processes.child_process import ChildProcess
from bench.processes.mariadb_server import MariaDbServer
from bench.processes.twistd import checkout_environ, twistd_command
from bench.processes.waiting import until
from tests.drill.network import Zone

READY = 30.0
"""Seconds until a process is ready, at most."""


class ZoneProcess(ChildProcess):
    """A program in a zone, whose output goes to a log in a folder."""

    def __init__(
        self, zone: Zone, name: str, command: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self.zone = zone
        super().__init__(name, zone.command(command), folder, {**checkout_environ(), **(environ or {})})

    def until_it_says(self, text: str, times: int = 1, deadline: float = READY) -> None:
        """Waits until its log holds a text so many times. Raises ProcessError if it does not, or ends before."""

        def said() -> bool:
            if self.log().count(text) >= times:
                return True
            self.require_running()
            return False

        until(said, f"{self.name} to say {text!r}; its log ends: {self.last_lines()}", deadline, 0.02)


class Program(ZoneProcess):
    """A module of the drill, run as a process."""

    def __init__(self, zone: Zone, name: str, module: str, arguments: Sequence[str], folder: Path) -> None:
        super().__init__(zone, name, [sys.executable, "-m", module, *arguments], folder)


class Service(ZoneProcess):
    """A service of Lars, with metrics on a socket in the folder, which works across all namespaces."""

    def __init__(
        self,
        zone: Zone,
        name: str,
        plugin: str,
        options: Sequence[str],
        folder: Path,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.plugin = plugin
        self._metrics = folder / f"{name}.metrics"
        command = twistd_command(plugin, f"--metrics=unix:{self._metrics}", *options)
        super().__init__(zone, name, command, folder, environ)

    def metrics(self) -> Samples:
        """Its metrics as they are now; OSError if it does not answer within 5 s."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(self._metrics))
            connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            response = http.client.HTTPResponse(connection)
            response.begin()
            return parsed(response.read().decode())


class DatabaseNode(MariaDbServer):
    """A MariaDB server at an address of a zone; `query` reaches it also while the zone is cut off."""

    PORT = 3306

    def __init__(self, zone: Zone) -> None:
        small = ["--innodb-log-file-size=8M", "--innodb-flush-method=nosync"]
        fast = ["--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=2"]
        self.zone = zone
        self.address = zone.address()
        super().__init__([*small, *fast, f"--bind-address={self.address}", f"--port={self.PORT}"], small)
        self._command = zone.command(self._command)

    @property
    def url(self) -> str:
        """The URL of the drill's database, which `lars db init` makes."""
        return f"mysql://lars:{quote('lars')}@{self.address}:{self.PORT}/lars"

    def launch(self) -> None:
        """Makes the data, starts the server and waits until it answers."""
        self.install()
        self.start()
        until(self.is_ready, f"mariadbd to answer: {self.last_lines()}", READY)
        self.query("CREATE USER 'lars'@'%%' IDENTIFIED BY 'lars'")
        self.query("GRANT ALL ON *.* TO 'lars'@'%%'")
