"""Figures `asking`, `cached` and `in-flight`: what get_host and a successful report cost a business process."""

import json
import subprocess
import tempfile
import time
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from statistics import median

from bench.errors import BenchError
from bench.figure import Figure
from bench.load.c_programs import compiled
from bench.load.module_process import run_module
from bench.processes.waiting import until
from bench.services.lars_agent import LarsAgent
from lars.client import AgentUnavailable, LarsClient
from lars.route import HostAddress, ModuleId

HOSTS = 10
ROUTES = {
    ModuleId(modid, 1): [HostAddress((10 << 24) + (modid << 8) + host, 80) for host in range(1, HOSTS + 1)]
    for modid in range(1, 11)
}
"""What the agent knows: the modules that udpload asks for, and more."""

_ROUNDS = 21
_ROUND_CYCLES = 3_000
_C_SECONDS = 0.4

_CPU_BAR = 2.5
_CACHED_BAR = 1.5
_LOOKUPS_BAR = 40.0
_IN_FLIGHT_BAR = 15_000.0

_CACHED_CYCLES = 200_000


def _cpu(who: int) -> float:
    """CPU seconds so far, of this process or of its children that have ended."""
    usage = getrusage(who)
    return usage.ru_utime + usage.ru_stime


def until_answering(agent: LarsAgent) -> None:
    """Waits until the agent answers with ROUTES."""

    def answers() -> bool:
        agent.require_running()
        try:
            return all(client.get_route(*module) for module in ROUTES)
        except AgentUnavailable:
            return False

    with LarsClient(agent.address, cache=False, state_dir="") as client:
        until(answers, "the agent to answer", 60)


def measure_asking(agent: LarsAgent, figure: Figure, small: bool) -> None:
    """One thread without the cache and a C client in turn, in short rounds: both under the same load of the machine."""
    until_answering(agent)
    rounds = 3 if small else _ROUNDS
    python, c, walls = [], [], []
    with tempfile.TemporaryDirectory(prefix="lars-bench-c-") as folder:
        udpload = compiled("udpload", Path(folder))
        with LarsClient(agent.address, timeout=5, cache=False, state_dir="") as client:
            _cycles(client, _ROUND_CYCLES)
            for _ in range(rounds):
                before, began = _cpu(RUSAGE_SELF), time.monotonic()
                _cycles(client, _ROUND_CYCLES)
                python.append((_cpu(RUSAGE_SELF) - before) / _ROUND_CYCLES * 1e6)
                walls.append((time.monotonic() - began) / _ROUND_CYCLES * 1e6)
                c.append(_c_client(udpload, agent.port))
    figure.facts["rounds, in turn"] = f"{rounds} of {_ROUND_CYCLES} cycles and {_C_SECONDS:g} s"
    figure.measure("client, CPU", median(python), "µs/cycle")
    figure.measure("client, time", median(walls), "µs/cycle")
    figure.measure("C client, CPU", median(c), "µs/cycle")
    figure.measure("CPU, client/C client", median(python) / median(c), "times", at_most=_CPU_BAR)


def _cycles(client: LarsClient, number: int) -> None:
    for _ in range(number):
        client.report(client.get_host(1, 1))


def _c_client(udpload: str, port: int) -> float:
    """CPU µs of a cycle of a C client."""
    before = _cpu(RUSAGE_CHILDREN)
    done = subprocess.run([udpload, "1", str(_C_SECONDS), str(port)], capture_output=True, text=True, timeout=60)
    cycles = json.loads(done.stdout)["ok"] if done.returncode == 0 else 0
    if not cycles:
        raise BenchError(f"udpload had no answers: {done.stdout}{done.stderr}")
    return float((_cpu(RUSAGE_CHILDREN) - before) / cycles * 1e6)


def measure_cached(agent: LarsAgent, figure: Figure, small: bool) -> None:
    """Includes asking the agent once a ttl and sending it the successes; a look-up is of the module's key."""
    until_answering(agent)
    rounds = 3 if small else _ROUNDS
    number = _CACHED_CYCLES // 20 if small else _CACHED_CYCLES
    cached, lookups = [], []
    table, module = {(modid, 1): modid for modid in range(1, 11)}, (1, 1)
    with LarsClient(agent.address, state_dir="") as client:
        _cycles(client, number)
        for _ in range(rounds):
            began = time.perf_counter()
            _cycles(client, number)
            cached.append((time.perf_counter() - began) / number * 1e6)
            began = time.perf_counter()
            for _ in range(number):
                table[module]
            lookups.append((time.perf_counter() - began) / number * 1e6)
    figure.measure("cached get_host and report", median(cached), "µs", at_most=_CACHED_BAR)
    figure.measure("look-up in a dictionary", median(lookups), "µs")
    lookups_a_cycle = median(cached) / median(lookups)
    figure.measure("cached get_host and report/look-up", lookups_a_cycle, "times", at_most=_LOOKUPS_BAR)


def measure_in_flight(agent: LarsAgent, figure: Figure, small: bool) -> None:
    """Each client in a process of its own, one core at most: 100 coroutines that ask and report in a loop."""
    until_answering(agent)
    seconds = 0.5 if small else 5.0
    figure.facts["coroutines"] = 100
    for name in ("asyncio", "twisted"):
        for cache in (False, True):
            arguments = [name, agent.address, f"{seconds:g}", str(int(cache))]
            found = run_module("bench.load.in_flight", *arguments, deadline=seconds + 60)
            what = f"{name}, {'with' if cache else 'without'} the cache"
            figure.measure(what, found["cycles_per_s"], "cycles/s", at_least=_IN_FLIGHT_BAR)
            figure.measure(f"{what}, CPU", found["cpu_us"], "µs/cycle")
