"""Processes in zones: services of Lars, and any other program."""

import http.client
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.exposition import Samples, parsed
from bench.processes.child_process import ChildProcess
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
