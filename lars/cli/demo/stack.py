"""The demo's own Lars: `twistd lars` in a child process, with a new database and free ports."""

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
AGENT_CONF = "[balance]\npolicy = adaptive\n"
"""The agent's settings: the policy whose rules the demo shows."""
"""Lines of the log that a failure shows."""


class StackFailed(LarsError):
    """The stack did not start, or ended; `log` has the last lines of its log."""

    def __init__(self, what: str, log: list[str]) -> None:
        super().__init__(f"{what}: see the end of its log above")
        self.log = log


@dataclass(frozen=True, slots=True)
class StackConfig:
    """The folder and the ports of a stack, all on 127.0.0.1. `agent` is the first of three ports."""

    folder: Path
    dns: int
    reporter: int
    agent: int
    web: int

    @classmethod
    def free(cls, folder: Path) -> "StackConfig":
        """With ports that are free now."""
        return cls(folder, free_tcp_port(), free_tcp_port(), free_udp_ports(AGENT_PORTS), free_tcp_port())

    @property
    def database(self) -> str:
        """The URL of the SQLite file."""
        return f"sqlite:///{quote(str(self.folder / 'lars.db'))}"

    @property
    def log(self) -> Path:
        """The log file of the stack."""
        return self.folder / "stack.log"

    @property
    def agent_conf(self) -> Path:
        """The conf file of the agent."""
        return self.folder / "agent.conf"

    def twistd_arguments(self) -> list[str]:
        """The arguments of `twistd`."""
        return [
            *("-n", "--pidfile=", "lars"),
            *("--db", self.database),
            *("--dns-listen", f"tcp:{self.dns}:interface=127.0.0.1"),
            *("--reporter-listen", f"tcp:{self.reporter}:interface=127.0.0.1"),
            *("--agent-listen", f"127.0.0.1:{self.agent}"),
            *("--web-listen", f"tcp:{self.web}:interface=127.0.0.1"),
            *("--gateway-listen", ""),
            *("--state-dir", str(self.folder / "state")),
            *("--agent-config", str(self.agent_conf)),
        ]


class Stack:
    """The child process. `stop` ends it; on Linux it also ends when this process is killed."""

    def __init__(self, config: StackConfig) -> None:
        self.config = config
        config.agent_conf.write_text(AGENT_CONF, encoding="utf-8")
        with config.log.open("wb") as log:
            # preexec_fn is safe here because the demo has no other threads yet.
            self._process = subprocess.Popen(
                [sys.executable, "-c", _TWISTD, *config.twistd_arguments()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={name: value for name, value in os.environ.items() if not name.startswith("LARS_")},
                preexec_fn=_end_with_parent(),
            )

    def wait_until_up(self, deadline: float) -> None:
        """Waits until dns, reporter and web accept connections.

        Raises StackFailed if they do not by `deadline` (monotonic seconds).
        """
        for port in (self.config.dns, self.config.reporter, self.config.web):
            while not _accepts_connections(port):
                self.check()
                if time.monotonic() > deadline:
                    raise self.failed("the Lars stack did not start in time")
                time.sleep(0.05)

    def web_address(self) -> str:
        """The URL to open in a browser: the link from the log that sets the admin's password, while there is one."""
        with self.config.log.open(encoding="utf-8", errors="replace") as log:
            links = re.findall(r"http://\S+/setup/\S+", log.read())
        return links[-1] if links else f"http://127.0.0.1:{self.config.web}"

    def check(self) -> None:
        """Raises StackFailed if the process has ended."""
        if (code := self._process.poll()) is not None:
            raise self.failed(f"the Lars stack ended unexpectedly with exit status {code}")

    def failed(self, what: str) -> StackFailed:
        """The error to raise, with the last lines of the log, which is deleted with the temporary folder."""
        with self.config.log.open(encoding="utf-8", errors="replace") as log:
            return StackFailed(what, [line.rstrip() for line in deque(log, LOG_LINES)])

    def stop(self) -> None:
        """Terminates the process, and kills it after 3 s."""
        self._process.terminate()
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _accepts_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
    except OSError:
        return False
    return True


def _end_with_parent() -> Callable[[], None] | None:
    """A function that makes the child that runs it end with this process; None if the system cannot do that."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up here: little may be done between fork and exec

    def ask_for_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask_for_signal
