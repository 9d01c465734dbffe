"""What a figure depends on besides Lars: the machine, its load, and how many files a process may open."""

import os
import platform
import resource
from pathlib import Path

_OWN_FILES = 300
"""Files that a process needs besides its connections; a service reserves fewer (lars.runtime.file_limit)."""


def facts() -> dict[str, object]:
    """What machine and Python this is."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _cpu_model(),
        "memory_mb": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20,
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def _cpu_model() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        names = [line.partition(":")[2].strip() for line in cpuinfo if line.startswith("model name")]
    return names[0] if names else platform.machine()


def load_average() -> list[float]:
    """The load average over 1, 5 and 15 minutes."""
    return [round(load, 2) for load in os.getloadavg()]


def listen_drops() -> int:
    """How many SYNs found a full listen queue so far, on this machine; each costs its sender a second or more."""
    lines = Path("/proc/net/netstat").read_text(encoding="ascii").splitlines()
    names, values = (line.split() for line in lines if line.startswith("TcpExt:"))
    return int(dict(zip(names, values, strict=True))["ListenDrops"])


def connections_allowed(wanted: int) -> int:
    """How many of the wanted connections fit one process here, in this one and in a service that reserves some files.

    Raises the soft limit to the hard one, also for the processes that this one starts.
    """
    allow_open_files(wanted + _OWN_FILES)
    return min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _OWN_FILES)


def allow_open_files(needed: int) -> str:
    """Raises this process's soft limit of open files to what is needed, also for the processes that it starts.

    Returns what to do where the hard limit forbids it, or nothing.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < needed:
        return f"{needed} open files are needed and {hard} allowed: raise the hard limit (ulimit -Hn {needed})"
    return ""
