"""A lars-dns process under twistd, as an operator would start it, on a port of its own."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.errors import BenchError
from bench.exposition import Samples, scrape
from bench.load.routes import Answer, answers, request
from bench.processes.child_process import ChildProcess
from bench.processes.ports import ReservedPort
from bench.processes.waiting import until
from lars.route import ModuleId
from lars.wire.frames import HEADER, HEADER_SIZE

CHECKOUT = Path(__file__).resolve().parents[2]


def twistd() -> list[str]:
    """The command that runs the twistd beside this Python."""
    beside = Path(sys.executable).with_name("twistd")
    found = str(beside) if beside.exists() else shutil.which("twistd")
    if not found:
        raise BenchError("twistd is missing: make venv")
    return [found, "-n", "--pidfile="]


def checkout_environ() -> dict[str, str]:
    """The environment in which a child finds this checkout's lars, and twistd its plugins."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]))}


def _has_option(option: str) -> bool:
    told = subprocess.run(
        [*twistd(), "lars-dns", "--help"], env={**os.environ, **checkout_environ()}, capture_output=True, text=True
    )
    return f"{option}=" in told.stdout


class LarsDns(ChildProcess):
    """lars-dns in an empty folder of its own, which holds its log and whatever it saves."""

    def __init__(self, url: str, poll_interval: float = 1.0) -> None:
        self._port = ReservedPort()
        self._metrics_port = ReservedPort()
        self.port = self._port.number
        self.has_metrics = _has_option("--metrics")
        command = [*twistd(), "lars-dns", "--db", url, "--poll-interval", f"{poll_interval:g}"]
        command += ["--listen", f"tcp:{self.port}:interface=127.0.0.1"]
        if self.has_metrics:
            command += ["--metrics", f"tcp:{self._metrics_port.number}:interface=127.0.0.1"]
        super().__init__("lars-dns", command, Path(tempfile.mkdtemp(prefix="lars-bench-dns-")), checkout_environ())

    def until_answering(self, module: ModuleId, deadline: float) -> tuple[float, Answer]:
        """Waits until it answers for a module; the moment (monotonic) of that, and the answer."""

        def connected() -> socket.socket | None:
            self.require_running()
            try:
                return socket.create_connection(("127.0.0.1", self.port), 1)
            except OSError:
                return None

        sock = until(connected, f"lars-dns to listen; it said: {self.last_words()}", deadline)
        with sock:
            sock.settimeout(deadline)
            frame = ask(sock, module)
            answered = time.monotonic()
        return answered, next(answers(frame))

    def frame_size(self, module: ModuleId) -> int:
        """The size of the frame that answers for a module: the same for all that bench.load.routes makes."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as sock:
            return len(ask(sock, module))

    def metrics(self) -> Samples:
        """What its metrics place says now; nothing if it has none."""
        return scrape(self._metrics_port.number) if self.has_metrics else Samples({})

    def close(self) -> None:
        super().close()
        self._port.close()
        self._metrics_port.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def ask(sock: socket.socket, module: ModuleId) -> bytes:
    """The frame that answers one request; nothing else may be under way on this blocking connection."""
    sock.sendall(request(module))
    header = _exactly(sock, HEADER_SIZE)
    return header + _exactly(sock, HEADER.unpack(header)[1])


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = sock.recv(size, socket.MSG_WAITALL)
    if len(data) != size:
        raise BenchError("lars-dns closed the connection instead of answering")
    return data
