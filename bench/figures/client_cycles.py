"""Figures `asking`, `cached` and `in-flight`: what get_host and a successful report cost a business process."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from statistics import median

from bench.errors import BenchError
from bench.figure import Figure
from bench.load.c_programs import compiled
from bench.services.lone_agent import ClientGround
from lars.client import LarsClient

_ROUNDS = 21
_ROUND_CYCLES = 3_000
_C_SECONDS = 0.4

_CPU_BAR = 2.5
_CACHED_BAR = 2.0
_IN_FLIGHT_BAR = 15_000.0

_CACHED_CYCLES = 200_000


def _cpu(who: int) -> float:
    """CPU seconds so far, of this process or of its children that have ended."""
    usage = getrusage(who)
    return usage.ru_utime + usage.ru_stime


def measure_asking(ground: ClientGround, figure: Figure) -> None:
    """One thread without the cache and a C client in turn, in short rounds: both under the same load of the machine."""
    rounds = 3 if ground.small else _ROUNDS
    ours, theirs, walls = [], [], []
    with tempfile.TemporaryDirectory(prefix="lars-bench-c-") as folder:
        udpload = compiled("udpload", Path(folder))
        with LarsClient(ground.address, timeout=5, cache=False, state_dir="") as client:
            _cycles(client, _ROUND_CYCLES)
            for _ in range(rounds):
                before, began = _cpu(RUSAGE_SELF), time.monotonic()
                _cycles(client, _ROUND_CYCLES)
                ours.append((_cpu(RUSAGE_SELF) - before) / _ROUND_CYCLES * 1e6)
                walls.append((time.monotonic() - began) / _ROUND_CYCLES * 1e6)
                theirs.append(_c_client(udpload, ground.agent.port))
    figure.facts["rounds, in turn"] = f"{rounds} of {_ROUND_CYCLES} cycles and {_C_SECONDS:g} s"
    figure.measure("client, CPU", median(ours), "µs/cycle")
    figure.measure("client, time", median(walls), "µs/cycle")
    figure.measure("C client, CPU", median(theirs), "µs/cycle")
    figure.measure("CPU, client/C client", median(ours) / median(theirs), "times", at_most=_CPU_BAR)


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


def measure_cached(ground: ClientGround, figure: Figure) -> None:
    """The agent is asked once a ttl and told of the successes, which counts; a look-up is of the module's key."""
    rounds = 3 if ground.small else _ROUNDS
    number = _CACHED_CYCLES // 20 if ground.small else _CACHED_CYCLES
    cached, lookups = [], []
    table, module = {(modid, 1): modid for modid in range(1, 11)}, (1, 1)
    with LarsClient(ground.address, state_dir="") as client:
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
    figure.measure("cached get_host and report/look-up", median(cached) / median(lookups), "times")


def measure_in_flight(ground: ClientGround, figure: Figure) -> None:
    """Each client in a process of its own, one core at most: 100 coroutines that ask and report in a loop."""
    seconds = 0.5 if ground.small else 5.0
    figure.facts["coroutines"] = 100
    for name in ("asyncio", "twisted"):
        for cache in (False, True):
            command = [
                sys.executable,
                "-m",
                "bench.load.in_flight",
                name,
                ground.address,
                f"{seconds:g}",
                str(int(cache)),
            ]
            root = Path(__file__).resolve().parents[2]
            done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=seconds + 60)
            if done.returncode != 0:
                raise BenchError(f"the {name} client failed: {' | '.join(done.stderr.strip().splitlines()[-3:])}")
            found = json.loads(done.stdout)
            what = f"{name}, {'with' if cache else 'without'} the cache"
            figure.measure(what, found["cycles_per_s"], "cycles/s", at_least=_IN_FLIGHT_BAR)
            figure.measure(f"{what}, CPU", found["cpu_us"], "µs/cycle")
