"""A lars-reporter process under twistd, as an operator would start it, on a port of its own."""

import shutil
import tempfile
from pathlib import Path

from bench.lars_dns import checkout_environ, twistd
from bench.ports import ReservedPort
from bench.process import ChildProcess


class LarsReporter(ChildProcess):
    """lars-reporter in an empty folder of its own, which holds its log."""

    def __init__(self, url: str) -> None:
        self._port = ReservedPort()
        self.port = self._port.number
        command = [*twistd(), "lars-reporter", "--db", url, "--listen", f"tcp:{self.port}:interface=127.0.0.1"]
        super().__init__("lars-reporter", command, Path(tempfile.mkdtemp(prefix="lars-bench-rep-")), checkout_environ())

    def close(self) -> None:
        super().close()
        self._port.close()
        shutil.rmtree(self.folder, ignore_errors=True)
