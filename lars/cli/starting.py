"""Waits for a Lars that is being started in this folder, so that a command may follow `twistd -n lars &` at once."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

START_TIME = 15.0
"""Seconds after its start in which a process counts as starting."""

_STEP = 0.05
_TICKS = os.sysconf("SC_CLK_TCK")


def wait_while_starting(ready: Callable[[], bool]) -> None:
    """Returns once `ready`, or as soon as no Lars is starting here; at once, where neither is the case."""
    while not ready() and is_starting():
        time.sleep(_STEP)


def is_starting() -> bool:
    """Whether twistd runs a service of Lars in the current folder, for this user, since less than START_TIME."""
    folder, uid = os.getcwd(), os.getuid()
    for entry in os.scandir("/proc"):  # proc(5)
        if not entry.name.isdigit():
            continue
        with suppress(OSError):  # it has ended meanwhile
            process = Path(entry.path)
            if (
                entry.stat().st_uid == uid
                and _runs_lars((process / "cmdline").read_bytes())
                and os.readlink(process / "cwd") == folder
                and _age((process / "stat").read_bytes()) < START_TIME
            ):
                return True
    return False


def _runs_lars(command: bytes) -> bool:
    words = command.split(b"\0")
    return any(word.rpartition(b"/")[2] == b"twistd" for word in words) and any(
        word == b"lars" or word.startswith(b"lars-") for word in words
    )


def _age(stat: bytes) -> float:
    """Seconds since a process started, from its /proc/PID/stat."""
    started = int(stat.rpartition(b")")[2].split()[19]) / _TICKS
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started
