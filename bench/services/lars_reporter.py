"""A lars-reporter process under twistd, as an operator would start it, on a port of its own."""

import shutil
import socket
import tempfile
from pathlib import Path

from bench.exposition import Samples, scrape
from bench.processes.child_process import ChildProcess
from bench.processes.ports import ReservedPort
from bench.processes.waiting import until
from bench.services.lars_dns import checkout_environ, twistd


class LarsReporter(ChildProcess):
    """lars-reporter in an empty folder of its own, which holds its log."""

    def __init__(self, url: str, *options: str) -> None:
        self._port = ReservedPort()
        self._metrics_port = ReservedPort()
        self.port = self._port.number
        command = [*twistd(), "lars-reporter", "--db", url, "--listen", f"tcp:{self.port}:interface=127.0.0.1"]
        command += ["--metrics", f"tcp:{self._metrics_port.number}:interface=127.0.0.1", *options]
        super().__init__("lars-reporter", command, Path(tempfile.mkdtemp(prefix="lars-bench-rep-")), checkout_environ())

    def until_listening(self) -> None:
        """Waits until it takes connections."""

        def listening() -> bool:
            self.require_running()
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        until(listening, "lars-reporter to listen", 30)

    def metrics(self) -> Samples:
        """What its metrics place says now."""
        return scrape(self._metrics_port.number)

    def close(self) -> None:
        super().close()
        self._port.close()
        self._metrics_port.close()
        shutil.rmtree(self.folder, ignore_errors=True)
