"""Runs `lars route add` as a user would: in a process of its own, through the command line."""

import os
import subprocess
import sys
import time

from lars.errors import LarsError


class RouteAdd:
    """One `lars route add MODID CMDID IP:PORT…` on a database; starts when constructed."""

    def __init__(self, database: str, modid: int, cmdid: int, addresses: list[str]) -> None:
        arguments = ["route", "add", str(modid), str(cmdid), *addresses]
        self.text = f"lars {' '.join(arguments)}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lars.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "LARS_DB": database},
        )

    def check(self) -> bool:
        """Whether the command has ended; raises LarsError, with its output, if it failed."""
        if self._process.poll() is None:
            return False
        if self._process.returncode and self._process.stdout:
            output = self._process.stdout.read().strip()
            raise LarsError(f"`{self.text}` ended with exit status {self._process.returncode}: {output}")
        return True

    def wait(self, deadline: float) -> None:
        """Waits for the command; raises LarsError if it fails or runs past `deadline` (monotonic seconds)."""
        while not self.check():
            if time.monotonic() > deadline:
                raise LarsError(f"`{self.text}` did not end in time")
            time.sleep(0.02)

    def stop(self) -> None:
        """Kills the command if it still runs."""
        with self._process:  # closes the pipe and waits
            self._process.kill()
