"""A `lars` process on a terminal of its own, as a person sees it."""

import contextlib
import os
import pty
import signal
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path

from tests.unit.cli.command import DEADLINE, arguments, environment


def on_terminal(
    *given: str,
    cwd: str | Path,
    columns: int,
    lines: int = 24,
    until: Callable[[str], bool] | None = None,
    **environ: str,
) -> str:
    """What a command writes to a terminal of that size until it ends, or, interrupted then, until a condition holds."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (lines, columns))
    changed = {name: value for name, value in environment(**environ).items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen(
        arguments(*given), cwd=cwd, env=changed | {"TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        deadline = time.monotonic() + DEADLINE
        with contextlib.suppress(OSError):  # the process has ended, and nothing has the terminal open any longer
            while time.monotonic() < deadline and (data := os.read(ours, 65_536)):
                shown += data
                if until is not None and until(shown.decode(errors="replace")):
                    process.send_signal(signal.SIGINT)
                    until = None
        process.kill()
    os.close(ours)
    return shown.decode(environ.get("PYTHONIOENCODING", "utf-8"), errors="replace")
