"""Figure `cycles`: get_host and report, by ten business processes at once, beside the floor.

The floor is a program that only receives and sends. A ratio to it, both under the same load in turn, holds from machine
to machine where neither number does.
"""

import tempfile
from pathlib import Path

from bench.background_cpu import BackgroundCpu
from bench.figure import Figure
from bench.load.c_programs import compiled
from bench.load.udp_load import THREADS, Load, UdpLoad
from bench.load.udp_modules import HOSTS, MODULES
from bench.processes.child_process import ChildProcess
from bench.processes.ports import free_udp_base, udp_port_is_open
from bench.processes.waiting import until
from bench.services.fleet import Fleet
from bench.services.lars_agent import WORKER_COUNTS
from bench.services.testbed import Testbed

ROWS = [(*module, (10 << 24) + (module.modid << 8) + host, 8000) for module in MODULES for host in range(1, HOSTS + 1)]

_ROUNDS = 5
_SECONDS = 3.0
_COUNTED = 60.0
"""Seconds until all reports are in the database, at most."""

_CYCLES_BAR = 0.5
_CPU_BAR = 2.0
_P99_BAR = 3.0


def measure_cycles(testbed: Testbed, figure: Figure) -> None:
    """An agent of one process, and one of three; of the two, the better latency counts."""
    figure.facts |= {"threads": THREADS, "hosts a module": HOSTS}
    p99 = {}
    with tempfile.TemporaryDirectory(prefix="lars-bench-c-") as folder:
        udpload, floor = (compiled(name, Path(folder)) for name in ("udpload", "floor"))
        for workers in WORKER_COUNTS:
            with Fleet(testbed, workers, ROWS) as fleet:
                fleet.until_answering(MODULES, HOSTS)
                p99[workers] = _beside_floor(testbed, figure, f"workers={workers}", fleet, udpload, floor)
    best = min(p99, key=lambda workers: p99[workers])
    figure.facts["the better p99 is that of"] = f"workers={best}"
    figure.measure("get_host p99, agent/floor, the better", p99[best], "times", at_most=_P99_BAR)


def _beside_floor(testbed: Testbed, figure: Figure, who: str, fleet: Fleet, udpload: str, floor: str) -> float:
    """Agent and floor in turn, then the check that every report was counted; the ratio of their p99."""
    seconds, rounds = 0.3 if testbed.small else _SECONDS, testbed.size(_ROUNDS)
    base_port = free_udp_base(3)
    with ChildProcess("floor", [floor, str(base_port)], Path(floor).parent) as running:
        running.start()
        until(lambda: all(udp_port_is_open(base_port + n) for n in range(3)), "the floor to listen", 10)
        loads = [UdpLoad(udpload, fleet.agent.port, fleet.agent.pid), UdpLoad(udpload, base_port, running.pid)]
        for load in loads:
            load.round(seconds / 3)  # warm-up
        background = BackgroundCpu()
        taken: list[list[Load]] = [[], []]
        for _ in range(rounds):
            for load, results in zip(loads, taken, strict=True):
                results.append(load.round(seconds))
        figure.facts[f"{who}: rounds"] = f"{rounds} of {seconds:g} s each"
        figure.facts[f"{who}: other processes, cores"] = round(background.cores(), 2)
    fleet.until_counted(loads[0].cycles, _COUNTED)
    figure.facts[f"{who}: calls in the database"] = f"all {loads[0].cycles}"
    agent, bare = (Load.median(results) for results in taken)
    for name, one in (("agent", agent), ("floor", bare)):
        figure.measure(f"{who}: {name}, cycles", one.cycles_per_s, "cycles/s")
        figure.measure(f"{who}: {name}, CPU", one.cpu_us_per_cycle, "µs/cycle")
        figure.measure(f"{who}: {name}, get_host p50", one.p50_us, "µs")
        figure.measure(f"{who}: {name}, get_host p99", one.p99_us, "µs")
    cycles, cpu = agent.cycles_per_s / bare.cycles_per_s, agent.cpu_us_per_cycle / bare.cpu_us_per_cycle
    p99 = agent.p99_us / bare.p99_us
    figure.measure(f"{who}: cycles, agent/floor", cycles, "times", at_least=_CYCLES_BAR)
    figure.measure(f"{who}: CPU, agent/floor", cpu, "times", at_most=_CPU_BAR)
    figure.measure(f"{who}: get_host p99, agent/floor", p99, "times")
    return p99
