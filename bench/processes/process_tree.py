"""A process with all that it has started: their CPU time together, the memory of each."""

from contextlib import suppress
from pathlib import Path

from bench.processes.child_process import cpu_seconds, memory_mb


def family(pid: int) -> set[int]:
    """The process and all its descendants."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):  # it has ended meanwhile
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found, more = {pid}, {pid}
    while more:
        more = {child for child, parent in parents.items() if parent in found} - found
        found |= more
    return found


def family_cpu_seconds(pid: int) -> float:
    """User and system CPU time of all of them so far."""
    return sum(cpu_seconds(each) for each in family(pid))


def family_memory_mb(pid: int) -> tuple[float, float]:
    """Resident memory of the largest of them in MiB: now, and the most that one of them has been."""
    sizes = [memory_mb(each) for each in family(pid)]
    return max(now for now, _most in sizes), max(most for _now, most in sizes)
