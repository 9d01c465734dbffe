"""The demo's own Lars: `twistd lars` in a child process, on a new database and free ports."""

import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from lars.cli.demo.ports import free_tcp_port, free_udp_ports
from lars.errors import LarsError

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_TWISTD = "from twisted.scripts.twistd import run; run()"
AGENT_PORTS = 3
LOG_LINES = 12
"""How much of the log a failure shows."""


class StackFailed(LarsError):
    """The stack is not there, or does not do what it should; `log` is how its log ends."""

    def __init__(self, what: str, log: list[str]) -> None:
        super().__init__(f"{what}: the end of its log is above")
        self.log = log


@dataclass(frozen=True, slots=True)
class Places:
    """Where a stack keeps its files and listens; all on 127.0.0.1. `agent` is the first of three ports."""

    folder: Path
    dns: int
    reporter: int
    agent: int
    web: int

    @classmethod
    def free(cls, folder: Path) -> "Places":
        """Ports that nobody uses now."""
        return cls(folder, free_tcp_port(), free_tcp_port(), free_udp_ports(AGENT_PORTS), free_tcp_port())

    @property
    def database(self) -> str:
        return f"sqlite:///{quote(str(self.folder / 'lars.db'))}"

    @property
    def log(self) -> Path:
        return self.folder / "stack.log"

    def twistd_arguments(self) -> list[str]:
        """What follows `twistd` on the command line."""
        return [
            *("-n", "--pidfile=", "lars"),
            *("--db", self.database),
            *("--dns-listen", f"tcp:{self.dns}:interface=127.0.0.1"),
            *("--reporter-listen", f"tcp:{self.reporter}:interface=127.0.0.1"),
            *("--agent-listen", f"127.0.0.1:{self.agent}"),
            *("--web-listen", f"tcp:{self.web}:interface=127.0.0.1"),
            *("--state-dir", str(self.folder / "state")),
        ]


class Stack:
    """The child process. It ends with `stop`, and on Linux also when this process is killed."""

    def __init__(self, places: Places) -> None:
        self.places = places
        with places.log.open("wb") as log:
            # The demo has no other threads yet, which is what makes preexec_fn safe.
            self._process = subprocess.Popen(
                [sys.executable, "-c", _TWISTD, *places.twistd_arguments()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={name: value for name, value in os.environ.items() if not name.startswith("LARS_")},
                preexec_fn=_end_with_parent(),
            )

    def wait_until_up(self, deadline: float) -> None:
        """Returns when dns, reporter and web take connections.

        Raises StackFailed if that is not so by `deadline` (monotonic seconds).
        """
        for port in (self.places.dns, self.places.reporter, self.places.web):
            while not _takes_connections(port):
                self.check()
                if time.monotonic() > deadline:
                    raise self.failed("the Lars stack did not come up in time")
                time.sleep(0.05)

    def web_address(self) -> str:
        """What to open in a browser: at first the link that sets the admin's password, as the log has it."""
        with self.places.log.open(encoding="utf-8", errors="replace") as log:
            links = re.findall(r"http://\S+/setup/\S+", log.read())
        return links[-1] if links else f"http://127.0.0.1:{self.places.web}"

    def check(self) -> None:
        """Raises StackFailed if the process has ended."""
        if (code := self._process.poll()) is not None:
            raise self.failed(f"the Lars stack ended by itself with exit status {code}")

    def failed(self, what: str) -> StackFailed:
        """The error to raise about it, with the last lines of its log, which the temporary folder takes with it."""
        with self.places.log.open(encoding="utf-8", errors="replace") as log:
            return StackFailed(what, [line.rstrip() for line in deque(log, LOG_LINES)])

    def stop(self) -> None:
        """Ends the process: politely, and after 3 s for good."""
        self._process.terminate()
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _takes_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
    except OSError:
        return False
    return True


def _end_with_parent() -> Callable[[], None] | None:
    """What makes a child end when this process is killed, to be run in the child; None where there is no such thing."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up here: little may be done between fork and exec

    def ask_for_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask_for_signal
