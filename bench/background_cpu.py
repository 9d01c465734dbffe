"""CPU time that other processes take from what is measured."""

import os
import resource
import time
from pathlib import Path

from bench.processes.process_tree import tree_cpu_seconds

_TICK = 1 / os.sysconf("SC_CLK_TCK")


def _busy_seconds() -> float:
    """CPU time of everything that this machine has run so far."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = Path("/proc/stat").read_text().split(maxsplit=9)[1:]
    return sum(map(int, (user, nice, system, irq, softirq.split()[0]))) * _TICK


def _own_seconds() -> float:
    """CPU time of this process, of all that it has started, and of what of that has ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return tree_cpu_seconds(os.getpid()) + ended.ru_utime + ended.ru_stime


class BackgroundCpu:
    """Watches from now on; while it does, nothing that this process has started may be killed."""

    def __init__(self) -> None:
        self._begin = time.monotonic(), _busy_seconds() - _own_seconds()

    def cores(self) -> float:
        """How many cores the other processes have kept busy, on average."""
        begin, before = self._begin
        return max(0.0, _busy_seconds() - _own_seconds() - before) / (time.monotonic() - begin)
