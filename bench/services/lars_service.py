"""A Lars service under twistd, as an operator would start it, in an empty folder and on ports of its own."""

import shutil
import tempfile
from pathlib import Path
from typing import Self

from bench.exposition import Samples, scrape
from bench.processes.child_process import ChildProcess
from bench.processes.ports import ReservedPort, takes_connections
from bench.processes.twistd import checkout_environ, twistd_command
from bench.processes.waiting import until

READY = 30.0
"""Seconds until a service that has little to load is ready, at most."""


class LarsService(ChildProcess):
    """One service; its folder holds its log and whatever it saves, and is deleted at `close`.

    Args:
        plugin: its twistd command, such as lars-dns.
        options: of that command.
        ports: the TCP ports among the options; they are released at `close`.
    """

    def __init__(self, plugin: str, *options: str, ports: tuple[ReservedPort, ...] = ()) -> None:
        self._ports = ports
        folder = Path(tempfile.mkdtemp(prefix=f"lars-bench-{plugin.removeprefix('lars-')}-"))
        super().__init__(plugin, twistd_command(plugin, *options), folder, checkout_environ())

    def is_ready(self) -> bool:
        """Whether it can be asked; of a service with TCP ports, whether it listens on the first of them."""
        return takes_connections(self._ports[0].number)

    def until_ready(self, deadline: float = READY) -> None:
        """Waits until it is ready; raises ProcessError if it ends before, or is not ready in time."""

        def ready() -> bool:
            self.require_running()
            return self.is_ready()

        until(ready, f"{self.name} to be ready", deadline)

    def launch(self) -> Self:
        """Starts it and waits until it is ready."""
        self.start()
        self.until_ready()
        return self

    def close(self) -> None:
        """Ends it and deletes its folder."""
        super().close()
        for port in self._ports:
            port.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class MeasuredService(LarsService):
    """A service with one port that it serves on, and its metrics on another."""

    def __init__(self, plugin: str, *options: str) -> None:
        port, metrics = ReservedPort(), ReservedPort()
        self.port, self._metrics_port = port.number, metrics.number
        listen = ["--listen", port.endpoint, "--metrics", metrics.endpoint]
        super().__init__(plugin, *listen, *options, ports=(port, metrics))

    def metrics(self) -> Samples:
        """Its metrics as they are now."""
        return scrape(self._metrics_port)
