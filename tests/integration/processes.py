"""Real processes that a test starts, kills, pauses and starts again, waited for in the reactor."""

import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.processes.child_process import ChildProcess
from bench.processes.ports import ReservedPort, free_udp_base
from bench.processes.twistd import checkout_environ, twistd_command
from tests.integration.waiting import until

__all__ = ["Child", "ReservedPort", "TwistdService", "free_udp_base"]


class Child(ChildProcess):
    """A child process whose output and end a test waits for."""

    def __init__(
        self,
        reactor: Any,
        name: str,
        command: Sequence[str],
        folder: Path,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(name, command, folder, environ)
        self._reactor = reactor

    async def ended(self, deadline: float = 10.0) -> int:
        """Waits for it to end; its exit status."""
        late = f"{self.name} to end"
        await until(self._reactor, lambda: self.status is not None, lambda: f"{late}\n{self.log()[-2000:]}", deadline)
        assert self.status is not None
        return self.status

    async def says(self, text: str, times: int = 1, deadline: float = 10.0) -> None:
        """Waits until the log holds a text so many times."""

        def said() -> bool:
            found = self.log().count(text) >= times
            assert found or self.status is None, f"{self.name} ended without saying {text!r}:\n{self.log()[-2000:]}"
            return found

        missing = f"{self.name} to say {text!r}"
        await until(self._reactor, said, lambda: f"{missing}; its log ends:\n{self.log()[-2000:]}", deadline)


class TwistdService(Child):
    """A service run by twistd in the foreground, such as `TwistdService(reactor, folder, "lars-dns", "--db", url)`."""

    def __init__(
        self,
        reactor: Any,
        folder: Path,
        plugin: str,
        *options: str,
        name: str = "",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        environ = {**checkout_environ(), **(environ or {})}
        super().__init__(reactor, name or plugin, twistd_command(plugin, *options), folder, environ)

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
            return True  # too late, which terminate reports
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
