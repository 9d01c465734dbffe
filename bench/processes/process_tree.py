"""What a process, alone or with all that it has started, costs: CPU time and memory, from /proc."""

import os
from contextlib import suppress
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system CPU time of a process so far, in steps of 10 ms."""
    fields = _stat(Path(f"/proc/{pid}"))
    return (int(fields[11]) + int(fields[12])) * _TICK


def core_wait_seconds(pid: int) -> float:
    """How long a process's main thread has been ready to run without a core: what the machine's other work costs it."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident memory of a process in MiB: now, and the most that it has been."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    values = {name: text for name, _, text in (line.partition(":") for line in lines)}
    return int(values["VmRSS"].split()[0]) / 1024, int(values["VmHWM"].split()[0]) / 1024


def process_tree(pid: int) -> set[int]:
    """The ids of a process and all its descendants."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it has ended since
                parents[int(entry.name)] = int(_stat(entry)[1])
    found, more = {pid}, {pid}
    while more:
        more = {child for child, parent in parents.items() if parent in found} - found
        found |= more
    return found


def tree_cpu_seconds(pid: int) -> float:
    """User and system CPU time of the process and all its descendants so far."""
    return sum(cpu_seconds(each) for each in process_tree(pid))


def tree_memory_mb(pid: int) -> tuple[float, float]:
    """Resident memory of the largest of them in MiB: now, and the most that one of them has been."""
    sizes = [memory_mb(each) for each in process_tree(pid)]
    return max(now for now, _most in sizes), max(most for _now, most in sizes)


def _stat(entry: Path) -> list[str]:
    """The fields of a process's /proc/PID/stat that follow its name, of which the first is its state."""
    return (entry / "stat").read_text().rpartition(")")[2].split()
