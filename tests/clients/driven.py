"""A client of another language in a process of its own, whose calls a test chooses."""

import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType

WAIT = 20.0
"""Seconds after which a driver without output has failed."""


class Driven:
    """One client of one agent. A call's outcome is "ok …", "failed …", "invalid …" or an error's name and text."""

    def __init__(self, driver: Sequence[str], agent: str, environ: Mapping[str, str] = MappingProxyType({})) -> None:
        self._process = subprocess.Popen(
            driver,
            env={**os.environ, "LARS_AGENT": agent, **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._output = b""

    def call(self, *words: object) -> str:
        """Makes one call, such as `call("get_host", 1, 1)`; its outcome."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)).encode() + b"\n")
        self._process.stdin.flush()
        return self._line()

    def timed(self, *words: object) -> tuple[str, float]:
        """As `call`, and the seconds it took."""
        began = time.monotonic()
        return self.call(*words), time.monotonic() - began

    def ok(self, *words: object) -> str:
        """Makes one call that must succeed; what it gave."""
        outcome = self.call(*words)
        assert outcome.startswith("ok"), f"{words}: {outcome}"
        return outcome[3:].strip()

    def _line(self) -> str:
        assert self._process.stdout is not None
        output = self._process.stdout.fileno()
        while b"\n" not in self._output:
            readable, _, _ = select.select([output], [], [], WAIT)
            assert readable, "the driver prints nothing"
            data = os.read(output, 65_536)
            assert data, f"the driver has ended with status {self._process.wait(WAIT)}"
            self._output += data
        line, _, self._output = self._output.partition(b"\n")
        return line.decode()

    def terminated(self) -> int:
        """Ends it by SIGTERM; its exit status."""
        self._process.terminate()
        return self._process.wait(WAIT)

    def close(self) -> None:
        """Ends it as its input ends, which must leave it with status 0."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            assert self._process.wait(WAIT) == 0
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
