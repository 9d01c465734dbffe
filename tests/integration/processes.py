"""Real processes that a test starts, kills, pauses and starts again: Lars services under twistd, and MariaDB."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import lars
from tests.integration.waiting import until


class ReservedPort:
    """A free TCP port of 127.0.0.1 that stays ours while no server of ours listens on it.

    It is held by a socket that is bound and does not listen: connections to it are refused, no outgoing connection
    gets it as its own port, and a server that sets SO_REUSEADDR, as Twisted's and MariaDB do, can listen on it.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_udp_locks: list[socket.socket] = []
"""What keeps other test processes off the UDP ports that this one was given, until it ends."""


def free_udp_base(count: int) -> int:
    """The first of `count` free UDP ports in a row on 127.0.0.1, such as an agent's shards, for this process alone.

    They are below those that the system gives out by itself, so that no client's socket gets one of them while the
    agent is down.
    """
    for _attempt in range(1000):
        base = random.randrange(10_000, 32_000)
        with ExitStack() as stack:
            try:
                locks = [_bound(socket.AF_UNIX, f"\0lars test udp {base + n}") for n in range(count)]
                for n in range(count):
                    stack.enter_context(_bound(socket.AF_INET, ("127.0.0.1", base + n)))
            except OSError:
                continue
        _udp_locks.extend(locks)
        return base
    raise AssertionError(f"no {count} free UDP ports in a row")


def _bound(family: int, address: str | tuple[str, int]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


class Child:
    """A child process whose output goes to a log file in its folder.

    It and what it starts end at `close`, and at the latest with the test process, even when that is killed.
    """

    def __init__(
        self,
        reactor: Any,
        name: str,
        command: Sequence[str],
        folder: Path,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.folder = folder
        self.log_file = folder / f"{name}.log"
        self._reactor = reactor
        self._command = list(command)
        self._environ = {**os.environ, **(environ or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id, also of one that has ended."""
        assert self._process is not None, f"{self.name} was never started"
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit status, minus the signal that ended it, or None while it runs."""
        assert self._process is not None, f"{self.name} was never started"
        return self._process.poll()

    def start(self) -> None:
        """Starts it, the first time or again, with the same arguments; its log is appended to."""
        assert self._process is None or self.status is not None, f"{self.name} runs already"
        setpriv = shutil.which("setpriv")
        prefix = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                prefix + self._command,
                cwd=self.folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """kill -9: it has no chance to do anything; returns when it is gone."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(10)

    def terminate(self) -> None:
        """Asks it to end in order; `ended` waits for that."""
        self._signal(signal.SIGTERM)

    def pause(self) -> None:
        """Stops it where it is: its sockets stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets it go on after `pause`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self.status is None, f"{self.name} has ended by itself, with status {self.status}:\n{self.log()[-2000:]}"
        os.kill(self.pid, number)

    async def ended(self, deadline: float = 10.0) -> int:
        """Waits for it to end; its exit status."""
        late = f"{self.name} to end"
        await until(self._reactor, lambda: self.status is not None, lambda: f"{late}\n{self.log()[-2000:]}", deadline)
        assert self.status is not None
        return self.status

    def log(self) -> str:
        """All that it and its predecessors have said."""
        return self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""

    async def says(self, text: str, times: int = 1, deadline: float = 10.0) -> None:
        """Waits until the log holds a text so many times."""

        def said() -> bool:
            found = self.log().count(text) >= times
            assert found or self.status is None, f"{self.name} ended without saying {text!r}:\n{self.log()[-2000:]}"
            return found

        missing = f"{self.name} to say {text!r}"
        await until(self._reactor, said, lambda: f"{missing}; it said:\n{self.log()[-2000:]}", deadline)

    def close(self) -> None:
        """Ends it and all that it has started, at once."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):  # all of them have ended
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)


class TwistdService(Child):
    """A service run by twistd in the foreground, such as `TwistdService(reactor, folder, "lars-dns", "--db", url)`."""

    def __init__(self, reactor: Any, folder: Path, plugin: str, *options: str, name: str = "") -> None:
        twistd = str(Path(sys.executable).with_name("twistd"))
        checkout = str(Path(lars.__file__).parents[1])
        super().__init__(
            reactor,
            name or plugin,
            [twistd, "-n", "--pidfile=", plugin, *options],
            folder,
            {"PYTHONPATH": os.pathsep.join(filter(None, [checkout, os.environ.get("PYTHONPATH", "")]))},
        )

    async def stopped(self, deadline: float = 10.0) -> None:
        """Ends it in order, with SIGTERM, and waits for that; twistd then dies of the signal it was sent.

        twistd opens its ports, and so answers, before it takes signals; that is waited for.
        """
        await until(self._reactor, self._takes_signals, f"{self.name} to take signals", deadline)
        self.terminate()
        status = await self.ended(deadline)
        assert status == -signal.SIGTERM, f"{self.name} ended with status {status}:\n{self.log()[-2000:]}"
        assert self.log().rstrip().endswith("Server Shut Down."), self.log()[-2000:]

    def _takes_signals(self) -> bool:
        if self.status is not None:
            return True  # too late, which terminate says
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            name, _colon, value = line.partition(":")
            if name == "SigCgt":
                return bool(int(value, 16) >> signal.SIGTERM - 1 & 1)
        return False

    def bugs(self) -> str:
        """The log from its first traceback on, or nothing."""
        log = self.log()
        start = log.find("Traceback (most recent call last)")
        return log[start:] if start >= 0 else ""
