"""A lars-agent process under twistd, as an operator would start it, on ports of its own."""

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from bench.processes.child_process import ChildProcess
from bench.services.lars_dns import checkout_environ, twistd
from bench.udp_ports import free_udp_base


@cache
def worker_counts() -> list[int]:
    """How many processes lars-agent can be: 1, and 3 if it has the option."""
    told = subprocess.run(
        [*twistd(), "lars-agent", "--help"], env={**os.environ, **checkout_environ()}, capture_output=True, text=True
    )
    return [1, 3] if "--workers=" in told.stdout else [1]


class LarsAgent(ChildProcess):
    """lars-agent in an empty folder of its own, which holds its log and its saved routes."""

    def __init__(self, workers: int, dns_port: int, reporter_port: int) -> None:
        self.port = free_udp_base(3)
        folder = Path(tempfile.mkdtemp(prefix="lars-bench-agent-"))
        command = [*twistd(), "lars-agent", "--listen", f"127.0.0.1:{self.port}", "--state-dir", str(folder / "state")]
        command += ["--dns", f"127.0.0.1:{dns_port}", "--reporter", f"127.0.0.1:{reporter_port}"]
        if workers > 1:
            command += ["--workers", str(workers)]
        super().__init__("lars-agent", command, folder, checkout_environ())

    @property
    def address(self) -> str:
        """Where it is asked, as a client is told."""
        return f"127.0.0.1:{self.port}"

    def close(self) -> None:
        super().close()
        shutil.rmtree(self.folder, ignore_errors=True)
