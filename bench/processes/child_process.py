"""A child process: its log, its end, and the signals that a test or a benchmark sends it."""

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

from bench.processes.errors import ProcessError


class ChildProcess:
    """A child process in a folder, its output in a log file there.

    It and what it starts end at `close`, and at the latest with this process, even when that is killed.
    """

    def __init__(
        self, name: str, command: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.folder = folder
        self.log_file = folder / f"{name}.log"
        self._command = list(command)
        self._environ = {**os.environ, **(environ or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id, also of one that has ended."""
        return self._started().pid

    @property
    def status(self) -> int | None:
        """The exit status, minus the signal that ended it, or None while it runs."""
        return self._started().poll()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ProcessError(f"{self.name} was never started")
        return self._process

    def start(self) -> float:
        """Starts it, the first time or again, with the same arguments; its log is appended to.

        Returns the time (monotonic) just before.
        """
        if self._process is not None and self.status is None:
            raise ProcessError(f"{self.name} is running already")
        setpriv = shutil.which("setpriv")
        prefix = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
        with self.log_file.open("ab") as log:
            begin = time.monotonic()
            self._process = subprocess.Popen(
                prefix + self._command,
                cwd=self.folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return begin

    def require_running(self) -> None:
        """Raises ProcessError, with the end of its log, if it has ended."""
        if (status := self.status) is not None:
            raise ProcessError(f"{self.name} has ended with status {status}: {self.last_lines()}")

    def kill(self) -> None:
        """kill -9 to it alone: it has no chance to do anything; returns when it is gone."""
        self._signal(signal.SIGKILL)
        self._started().wait(10)

    def terminate(self) -> None:
        """Asks it to end in order; does not wait."""
        self._signal(signal.SIGTERM)

    def pause(self) -> None:
        """Stops it where it is: its sockets stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets it go on after `pause`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        self.require_running()
        os.kill(self.pid, number)

    def log(self) -> str:
        """All that it has logged, in all its runs."""
        return self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""

    def last_lines(self) -> str:
        """The end of its log in one line."""
        return " | ".join(self.log().strip().splitlines()[-5:])

    def close(self) -> None:
        """Ends it and all that it has started, at once."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):  # all of them have ended
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
