"""Closed-loop load of business processes: udpload.c, with what it found and what the server's CPU time was."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Self

from bench.errors import BenchError
from bench.processes.process_tree import tree_cpu_seconds

THREADS = 10
"""Business processes at once; thread t asks for module (t + 1, 1), t from 0."""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of one round. Latencies are those of get_host, in µs; the CPU time is the server's, in µs."""

    cycles: int
    cycles_per_s: float
    p50_us: float
    p99_us: float
    cpu_us_per_cycle: float

    @classmethod
    def median(cls, rounds: Sequence[Self]) -> "Load":
        """The median of each number over several rounds; their cycles together."""
        return Load(
            sum(each.cycles for each in rounds),
            median(each.cycles_per_s for each in rounds),
            median(each.p50_us for each in rounds),
            median(each.p99_us for each in rounds),
            median(each.cpu_us_per_cycle for each in rounds),
        )


class UdpLoad:
    """The load on one server, from the first of its three ports on.

    Args:
        program: udpload, compiled.
        base_port: of the server.
        pid: its process; what it has started counts with it.
    """

    def __init__(self, program: str, base_port: int, pid: int) -> None:
        self._program = program
        self._base_port = base_port
        self._pid = pid
        self.cycles = 0
        """In all rounds so far: get_hosts answered with a host, each of which was then reported."""

    def command(self, seconds: float) -> list[str]:
        """The command line of one round."""
        return [self._program, str(THREADS), f"{seconds:g}", str(self._base_port)]

    def round(self, seconds: float) -> Load:
        """One round; raises BenchError if requests were lost, or answered without a host."""
        before = tree_cpu_seconds(self._pid)
        done = subprocess.run(self.command(seconds), capture_output=True, text=True, timeout=seconds + 60)
        cpu = tree_cpu_seconds(self._pid) - before
        if done.returncode != 0:
            raise BenchError(f"udpload ended with status {done.returncode}: {done.stderr.strip()}")
        return self.load_from(done.stdout, cpu)

    def load_from(self, printed: str, cpu_seconds: float) -> Load:
        """What udpload printed, with the server's CPU time; raises BenchError as `round` does."""
        found: dict[str, Any] = json.loads(printed)
        cycles = int(found["ok"])
        self.cycles += cycles
        if not cycles or found["bad"] or found["lost"] * 1000 > cycles or found["noexist"] or found["overload"]:
            raise BenchError(f"a round with too few answers or bad ones does not count: {found}")
        return Load(cycles, found["cycles_per_s"], found["p50_us"], found["p99_us"], cpu_seconds / cycles * 1e6)
