"""The pid file that twistd keeps for a service: one of its own, and none in the foreground.

twistd's own is ./twistd.pid for all, and a file that outlived its process, as after SIGKILL, keeps the service from
starting as long as any process has that pid: in a container, for ever.
"""

import os
from contextlib import suppress
from pathlib import Path

TWISTD_DEFAULT = "twistd.pid"


def pid_file(given: str, plugin: str, in_foreground: bool) -> str:
    """The path to use where twistd would use `given`; empty for none."""
    if given != TWISTD_DEFAULT:
        return given
    return "" if in_foreground else f"{plugin}.pid"


def remove_stale(path: str, plugin: str) -> None:
    """Removes a pid file whose process is this one, or one that is no such service; other files are left to twistd."""
    with suppress(OSError, ValueError):
        pid = int(Path(path).read_text(encoding="ascii"))
        if pid == os.getpid() or plugin not in _arguments(pid):
            Path(path).unlink()


def _arguments(pid: int) -> list[str]:
    """The command line of a process; raises OSError if there is none, or it cannot be read."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
