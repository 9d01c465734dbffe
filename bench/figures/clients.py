"""Figures `python` and `cpp`: what get_host and a successful report cost, cached and asking, in each language."""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from bench.errors import BenchError
from bench.figure import Figure
from bench.figures.client_cycles import measure_cached, until_answering
from bench.load.c_programs import compiled
from bench.services.lars_agent import LarsAgent

_CPP = Path(__file__).resolve().parents[2] / "clients" / "cpp"

_ROUNDS = 11
_CACHED_CYCLES = 1_000_000
_ASKING_CYCLES = 10_000
_C_SECONDS = 0.4
_THREADS = 8

_CPP_BAR = 0.3

Cycles = Callable[[str, int, int], dict[str, float]]
"""Makes cycles of a kind ("cached" or "asking") in so many threads each: their number, seconds and CPU seconds."""


def measure_python(agent: LarsAgent, figure: Figure, small: bool) -> None:
    """The blocking client, as `bench client cached` measures it."""
    measure_cached(agent, figure, small)


def measure_cpp(agent: LarsAgent, figure: Figure, small: bool) -> None:
    """The C++ client, built for it, and a C program that asks and reports as the API of the C++ Lars does."""
    until_answering(agent)
    with tempfile.TemporaryDirectory(prefix="lars-bench-cpp-") as folder:
        program = _built(Path(folder))
        measure_program(figure, lambda *how: _cycles(program, agent.address, *how), _CPP_BAR, small)
        udpload = compiled("udpload", Path(folder))
        found = _json([udpload, "1", str(_C_SECONDS), str(agent.port)])
        figure.measure("API of the C++ Lars, asking", _C_SECONDS / max(1.0, found["ok"]) * 1e6, "µs/cycle")


def measure_program(figure: Figure, cycles: Cycles, bar: float, small: bool) -> None:
    """The cycles of one language's client: cached, by eight threads, and asking the agent each time.

    Args:
        figure: what is found.
        cycles: makes them.
        bar: µs that a cached cycle of one thread may take.
        small: whether to make fewer.
    """
    rounds, share = (3, 20) if small else (_ROUNDS, 1)
    number = _CACHED_CYCLES // share
    figure.facts["rounds"] = f"{rounds} of {number} cycles, with costs, after a tenth of them to warm up"
    found = [cycles("cached", number, 1) for _ in range(rounds)]
    figure.measure("cached get_host and report", _each(found, "seconds"), "µs/cycle", at_most=bar)
    figure.measure("cached get_host and report, CPU", _each(found, "cpu_seconds"), "µs/cycle")
    found = [cycles("cached", number // _THREADS, _THREADS) for _ in range(3)]
    figure.measure(f"cached, {_THREADS} threads", _each(found, "seconds"), "µs/cycle")
    found = [cycles("asking", _ASKING_CYCLES // share, 1) for _ in range(3)]
    figure.measure("asking", _each(found, "seconds"), "µs/cycle")
    figure.measure("asking, CPU", _each(found, "cpu_seconds"), "µs/cycle")


def _each(found: Sequence[dict[str, float]], what: str) -> float:
    return median(each[what] / each["cycles"] for each in found) * 1e6


def _cycles(program: str, agent: str, kind: str, number: int, threads: int) -> dict[str, float]:
    return _json([program, agent, kind, str(number), str(threads)])


def _json(command: Sequence[str]) -> dict[str, float]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise BenchError(f"{Path(command[0]).name} failed: {done.stdout}{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _built(folder: Path) -> str:
    """Builds the C++ client and its cycles; the program."""
    options = ["-DLARS_BENCH=ON", "-DBUILD_TESTING=OFF", "-DLARS_EXAMPLE=OFF", "-DCMAKE_BUILD_TYPE=Release"]
    steps = (
        ["cmake", "-S", str(_CPP), "-B", str(folder), *options],
        ["cmake", "--build", str(folder), "--parallel", str(os.cpu_count() or 1)],
    )
    for step in steps:
        try:
            done = subprocess.run(step, capture_output=True, text=True, timeout=600)
        except FileNotFoundError:
            raise BenchError("cmake is missing: install g++ cmake libprotobuf-dev protobuf-compiler") from None
        if done.returncode:
            raise BenchError(f"the C++ client cannot be built: {(done.stderr or done.stdout)[-400:]}")
    return str(folder / "lars-cycles")
