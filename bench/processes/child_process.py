"""A process that a benchmark starts: it ends with the benchmark, and its CPU time and memory can be read."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.errors import BenchError

_TICK = 1 / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system CPU time of a process so far, in steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK


def core_wait_seconds(pid: int) -> float:
    """How long a process's main thread has been ready to run without a core: what the machine's other work costs it."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident memory of a process in MiB: now, and the most that it has been."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    values = {name: text for name, _, text in (line.partition(":") for line in lines)}
    return int(values["VmRSS"].split()[0]) / 1024, int(values["VmHWM"].split()[0]) / 1024


class ChildProcess:
    """A child process in a folder, its output in a log file there.

    It ends at `close`, and at the latest with this process, even when that is killed.
    """

    def __init__(
        self, name: str, command: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.folder = folder
        self._log_file = folder / f"{name}.log"
        self._command = list(command)
        self._environ = {**os.environ, **(environ or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise BenchError(f"{self.name} was never started")
        return self._process.pid

    def start(self) -> float:
        """Starts it, the first time or again; the moment (monotonic) just before."""
        setpriv = shutil.which("setpriv")
        prefix = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
        with self._log_file.open("ab") as log:
            started = time.monotonic()
            self._process = subprocess.Popen(
                prefix + self._command,
                cwd=self.folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return started

    def require_running(self) -> None:
        """Raises BenchError, with the end of its log, if it has ended."""
        status = self._process.poll() if self._process is not None else None
        if status is not None:
            raise BenchError(f"{self.name} has ended with status {status}: {self.last_words()}")

    def last_words(self) -> str:
        """The end of its log."""
        log = self._log_file.read_text(encoding="utf-8", errors="replace") if self._log_file.exists() else ""
        return " | ".join(log.strip().splitlines()[-5:])

    def kill(self) -> None:
        """kill -9 to it and all that it has started; returns when it is gone."""
        if self._process is not None:
            with suppress(ProcessLookupError):  # all of them have ended
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(30)

    def close(self) -> None:
        self.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
